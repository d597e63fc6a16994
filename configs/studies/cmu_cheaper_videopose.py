# As cmu_cheaper.py, with 27 frames: docs/results/cheaper.md.
_base_ = './cmu_videopose.py'
_seal = 'configs/seal/videopose_cmu.py'
arms = dict(
    seal_every_2=dict(config=_seal, overrides={'custom_hooks.0.every': 2}),
    seal_every_4=dict(config=_seal, overrides={'custom_hooks.0.every': 4}),
    seal_every_8=dict(config=_seal, overrides={'custom_hooks.0.every': 8}),
    seal_every_4_constant_bones=dict(
        weights_of='seal_every_4', overrides={'test_evaluator.constant_bones': True}
    ),
    plain_as_long_as_every_4=dict(wall_clock_of='seal_every_4'),
)
