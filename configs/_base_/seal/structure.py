# What docs/method.md found to work: a small loss-net over bones and keypoints that learns
# by how much the structure of a pose is wrong, from predictions beside the same
# predictions with true bone lengths.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='BoneLossNet', features=('lengths', 'keypoints')),
        objective=dict(
            type='RegressionObjective',
            distance=dict(bone_length=1.0, symmetry=0.25),
            scale=10.0,
        ),
        contrast=dict(corrections=[dict(type='TrueBoneLengths')]),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_ratio=0.45,
        deconflict=True,
        warmup_iters=50,
    )
]
