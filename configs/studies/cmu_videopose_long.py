# As cmu_videopose.py, almost three times as long: docs/results/structure.md.
_base_ = './cmu_videopose.py'
overrides = {'train_cfg.max_epochs': 16}
