# The energy estimates the error of a pose from its bones and its keypoints, learns from
# labelled windows and from what is wrong on purpose, and acts on all. It helps a
# training that is cut short and harms a long one; docs/results/few_labels.md.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(
            type='BoneLossNet',
            features=('lengths', 'directions', 'angles', 'keypoints', 'residual'),
            focal=2.29,
        ),
        objective=dict(type='RegressionObjective', distance='mpjpe', scale=10.0),
        contrast=dict(
            negatives=[
                dict(type='JointNoise', std=0.03),
                dict(type='BoneRotation', degrees=25.0),
                dict(type='BoneScaling', spread=0.2),
                dict(type='OtherPose'),
            ]
        ),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_ratio=0.3,
        energy_at='auto',
    )
]
