model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(
        type='PoseFormerV2', num_frames=81, kept_frames=9, kept_coefficients=9
    ),
    losses=dict(pose=dict(type='MPJPELoss')),
    flip_prob=0.5,
    flip_test=True,
)
