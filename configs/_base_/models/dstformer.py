model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='DSTformer', num_frames=243),
    losses=dict(
        pose=dict(type='MPJPELoss'),
        scale=dict(type='NMPJPELoss', weight=0.5),
        velocity=dict(type='VelocityLoss', weight=20.0),
    ),
    flip_prob=0.5,
    flip_test=True,
)
