# SEAL against constraints on CMU motion capture, 27 frames: docs/results/structure.md.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/videopose_cmu.py'
# Without the ramp at the start the single-frame network learns far more slowly.
_schedule = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
overrides = {
    'model.backbone.channels': 256,
    'optim_wrapper.optimizer.lr': 2e-3,
    'train_cfg.max_epochs': 6,
    'param_scheduler': _schedule,
}
seeds = [10, 11, 12, 13, 14]
_seal = 'configs/seal/videopose_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_mild = {'custom_hooks.0.energy_ratio': 0.2}
arms = dict(
    seal=dict(config=_seal),
    seal_training=dict(config=_seal, overrides=_training),
    seal_training_mild=dict(config=_seal, overrides={**_training, **_mild}),
)
