model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='SemGCN'),
    losses=dict(pose=dict(type='PoseMSELoss')),
    flip_prob=0.0,
    flip_test=False,
)
