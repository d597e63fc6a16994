# SEAL against constraints on CMU motion capture, a small transformer over windows of
# nine frames: docs/results/structure.md.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/mixste_cmu.py'
overrides = {
    'train_cfg.max_epochs': 1,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
        dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
    ],
}
seeds = [10, 11, 12, 13, 14]
arms = dict(seal=dict(config='configs/seal/mixste_cmu.py'))
