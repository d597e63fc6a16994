# SEAL and its rivals on CMU motion capture, single frames: docs/results/structure.md.
# One or two minutes per run on one core, but for the graph loss-net.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/simplebaseline_cmu.py'
# Without the ramp at the start the single-frame network learns far more slowly.
_schedule = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
overrides = {
    'model.backbone.channels': 512,
    'train_cfg.max_epochs': 8,
    'param_scheduler': _schedule,
}
seeds = [10, 11, 12, 13, 14]
_seal = 'configs/seal/simplebaseline_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_constraints = {
    'model.losses': {{_base_._weak}},
    'custom_hooks.0.energy_ratio': 0.3,
}
_discriminator = {
    'custom_hooks.0.objective': dict(_delete_=True, type='AdversarialObjective'),
    'custom_hooks.0.energy_ratio': 0.3,
}
_corrections = {
    'custom_hooks.0.contrast': dict(corrections=[dict(type='TrueBoneLengths')])
}
_conflicting = {'custom_hooks.0.deconflict': False}
arms = dict(
    plain_longer=dict(wall_clock_of='seal_training'),
    ema=dict(
        overrides=dict(
            custom_hooks=[
                dict(
                    type='EMAHook',
                    ema_type='ExponentialMovingAverage',
                    momentum=0.01,
                    update_buffers=True,
                )
            ]
        )
    ),
    adversarial=dict(config=_seal, overrides={**_training, **_discriminator}),
    seal_published=dict(config='configs/seal/simplebaseline_cmu_published.py'),
    seal=dict(config=_seal),
    seal_training=dict(config=_seal, overrides=_training),
    seal_corrections=dict(config=_seal, overrides={**_training, **_corrections}),
    seal_conflicting=dict(config=_seal, overrides={**_training, **_conflicting}),
    seal_and_constraints=dict(config=_seal, overrides={**_training, **_constraints}),
)
