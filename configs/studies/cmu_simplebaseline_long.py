# As cmu_simplebaseline.py, three times as long: docs/results/structure.md.
_base_ = './cmu_simplebaseline.py'
overrides = {'train_cfg.max_epochs': 24}
