# SEAL and its rivals on CMU motion capture, single frames: docs/results/structure.md.
# Less than a minute per run on one core, but for the graph loss-net.
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
_both = {
    'model.losses.symmetry': dict(type='SymmetryLoss', weight=0.03),
    'model.losses.bone': dict(type='BoneLengthLoss', weight=0.03),
    'custom_hooks.0.energy_ratio': 0.3,
}
arms = dict(
    plain_longer=dict(wall_clock_of='seal'),
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
    adversarial=dict(
        config=_seal,
        overrides={
            'custom_hooks.0.objective': dict(
                _delete_=True, type='AdversarialObjective'
            ),
            'custom_hooks.0.energy_ratio': 0.3,
        },
    ),
    seal_published=dict(config='configs/seal/simplebaseline_cmu_published.py'),
    seal_mild=dict(config=_seal, overrides={'custom_hooks.0.energy_ratio': 0.2}),
    seal=dict(config=_seal),
    seal_strong=dict(config=_seal, overrides={'custom_hooks.0.energy_ratio': 0.6}),
    seal_corrections=dict(
        config=_seal,
        overrides={
            'custom_hooks.0.contrast': dict(corrections=[dict(type='TrueBoneLengths')])
        },
    ),
    seal_conflicting=dict(config=_seal, overrides={'custom_hooks.0.deconflict': False}),
    seal_and_constraints=dict(config=_seal, overrides=_both),
)
