# The backbone brings the published loss, on the poses of all its layers and on its
# estimates of their errors (`intermediate`).
model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='JointFormer'),
    losses=dict(),
    flip_prob=0.5,
    flip_test=True,
)
