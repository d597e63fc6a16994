model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='VideoPose3D', filter_widths=(3, 3, 3)),
    losses=dict(pose=dict(type='MPJPELoss')),
    flip_prob=0.5,
    flip_test=True,
)
