"""The 17 joints of COCO, which most 2D detectors give."""

from sealpose.skeletons.skeleton import Skeleton, register_skeleton

COCO17 = register_skeleton(
    Skeleton(
        'coco17',
        joints={
            'nose': None,
            'left_eye': 'nose',
            'right_eye': 'nose',
            'left_ear': 'left_eye',
            'right_ear': 'right_eye',
            'left_shoulder': 'nose',
            'right_shoulder': 'nose',
            'left_elbow': 'left_shoulder',
            'right_elbow': 'right_shoulder',
            'left_wrist': 'left_elbow',
            'right_wrist': 'right_elbow',
            'left_hip': 'left_shoulder',
            'right_hip': 'right_shoulder',
            'left_knee': 'left_hip',
            'right_knee': 'right_hip',
            'left_ankle': 'left_knee',
            'right_ankle': 'right_knee',
        },
        limbs={
            'left_arm': ('left_shoulder', 'left_elbow', 'left_wrist'),
            'right_arm': ('right_shoulder', 'right_elbow', 'right_wrist'),
            'left_leg': ('left_hip', 'left_knee', 'left_ankle'),
            'right_leg': ('right_hip', 'right_knee', 'right_ankle'),
        },
        origin=('left_hip', 'right_hip'),
    )
)
