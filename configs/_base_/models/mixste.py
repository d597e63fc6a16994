joint_weights = dict(
    left_knee=2.5,
    right_knee=2.5,
    left_ankle=2.5,
    right_ankle=2.5,
    head=1.5,
    left_shoulder=1.5,
    right_shoulder=1.5,
    left_elbow=4.0,
    right_elbow=4.0,
    left_wrist=4.0,
    right_wrist=4.0,
)
model = dict(
    type='PoseLifter',
    skeleton='h36m17',
    backbone=dict(type='MixSTE', num_frames=243),
    losses=dict(
        pose=dict(type='MPJPELoss', joint_weights=joint_weights),
        smoothness=dict(type='SmoothnessLoss', weight=0.5, joint_weights=joint_weights),
        velocity=dict(type='VelocityLoss', weight=2.0),
    ),
    flip_prob=0.5,
    flip_test=True,
)
del joint_weights
