# What SEAL keeps of its effect where the loss-net sees every second, fourth or eighth
# window of a batch alone: docs/results/thinning.md.
_base_ = './cmu_simplebaseline.py'
_seal = 'configs/seal/simplebaseline_cmu.py'
_constant = {'test_evaluator.constant_bones': True}
arms = dict(
    seal=dict(config=_seal, overrides={'custom_hooks.0.thinning': 1}),
    seal_thinned_2=dict(config=_seal, overrides={'custom_hooks.0.thinning': 2}),
    seal_thinned_4=dict(config=_seal, overrides={'custom_hooks.0.thinning': 4}),
    seal_thinned_8=dict(config=_seal, overrides={'custom_hooks.0.thinning': 8}),
    seal_thinned_4_constant_bones=dict(
        weights_of='seal_thinned_4', overrides=_constant
    ),
    plain_as_long=dict(wall_clock_of='seal_thinned_4'),
)
