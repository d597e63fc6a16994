# As cmu_thinning.py, with a small transformer, whose energy is in train mode:
# docs/results/cheaper.md.
_base_ = './cmu_poseformerv2.py'
arms = dict(
    seal_thinned_2=dict(
        config='configs/seal/poseformerv2_cmu.py',
        overrides={'custom_hooks.0.thinning': 2},
    )
)
