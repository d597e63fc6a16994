# P-STMO-S. The backbone adds its loss on all frames of the window (`all_frames`).
model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='PSTMO', num_frames=243),
    losses=dict(pose=dict(type='MPJPELoss')),
    flip_prob=0.5,
    flip_test=True,
)
