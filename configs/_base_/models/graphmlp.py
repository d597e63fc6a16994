model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='GraphMLP', num_frames=81),
    losses=dict(pose=dict(type='MPJPELoss')),
    flip_prob=0.5,
    flip_test=True,
)
