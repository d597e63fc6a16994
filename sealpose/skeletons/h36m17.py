"""The 17 joints of Human3.6M in the order that lifting papers use.

Joint 9 is called Neck/Nose by Human3.6M; it lies at the nose in that data set.
"""

from sealpose.skeletons.skeleton import Skeleton, register_skeleton

H36M17 = register_skeleton(
    Skeleton(
        'h36m17',
        joints={
            'pelvis': None,
            'right_hip': 'pelvis',
            'right_knee': 'right_hip',
            'right_ankle': 'right_knee',
            'left_hip': 'pelvis',
            'left_knee': 'left_hip',
            'left_ankle': 'left_knee',
            'spine': 'pelvis',
            'thorax': 'spine',
            'nose': 'thorax',
            'head': 'nose',
            'left_shoulder': 'thorax',
            'left_elbow': 'left_shoulder',
            'left_wrist': 'left_elbow',
            'right_shoulder': 'thorax',
            'right_elbow': 'right_shoulder',
            'right_wrist': 'right_elbow',
        },
        limbs={
            'left_arm': ('left_shoulder', 'left_elbow', 'left_wrist'),
            'right_arm': ('right_shoulder', 'right_elbow', 'right_wrist'),
            'left_leg': ('left_hip', 'left_knee', 'left_ankle'),
            'right_leg': ('right_hip', 'right_knee', 'right_ankle'),
        },
    )
)
