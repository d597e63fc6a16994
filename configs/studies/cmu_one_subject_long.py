# As cmu_one_subject.py, four times as long: docs/results/few_labels.md.
_base_ = './cmu_one_subject.py'
overrides = {'train_cfg.max_epochs': 24}
