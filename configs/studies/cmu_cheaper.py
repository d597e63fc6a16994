# What cheaper forms of SEAL keep of its effect: the energy in every second, fourth or
# eighth iteration; the loss-net in one pass: docs/results/cheaper.md.
_base_ = './cmu_simplebaseline.py'
_seal = 'configs/seal/simplebaseline_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_one_pass = {'custom_hooks.0.one_pass': True}
_every = {
    f'seal_every_{every}': dict(config=_seal, overrides={'custom_hooks.0.every': every})
    for every in (2, 4, 8)
}
arms = dict(
    **_every,
    seal_every_4_constant_bones=dict(
        weights_of='seal_every_4', overrides={'test_evaluator.constant_bones': True}
    ),
    seal_training_one_pass=dict(config=_seal, overrides={**_training, **_one_pass}),
    plain_as_long_as_every_4=dict(wall_clock_of='seal_every_4'),
)
