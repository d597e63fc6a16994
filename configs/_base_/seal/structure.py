# What docs/method.md found to work: a small loss-net over bones and keypoints estimates
# by how much the structure of a prediction is wrong, and the pose-net follows where
# that does not contradict its own loss.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='BoneLossNet', features=('lengths', 'keypoints')),
        objective=dict(
            type='RegressionObjective',
            distance=dict(bone_length=1.0, symmetry=0.25),
            scale=10.0,
        ),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_ratio=0.45,
        energy_at='auto',
        deconflict=True,
        warmup_iters=50,
    )
]
