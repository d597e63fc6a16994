# As cmu_thinning.py, with 27 frames: docs/results/cheaper.md.
_base_ = './cmu_videopose.py'
_seal = 'configs/seal/videopose_cmu.py'
arms = {
    f'seal_thinned_{n}': dict(config=_seal, overrides={'custom_hooks.0.thinning': n})
    for n in (2, 4)
}
