# What SEAL keeps of its effect where the loss-net sees every second, fourth or eighth
# window of a batch alone: docs/results/cheaper.md.
_base_ = './cmu_simplebaseline.py'
_seal = 'configs/seal/simplebaseline_cmu.py'
arms = {
    f'seal_thinned_{n}': dict(config=_seal, overrides={'custom_hooks.0.thinning': n})
    for n in (2, 4, 8)
}
