"""The joints of OpenPose: BODY_25 and its older COCO model of 18."""

from sealpose.skeletons.skeleton import Skeleton, register_skeleton

# OpenPose calls the points between the shoulders and between the hips so.
ALIASES = {'neck': 'thorax', 'mid_hip': 'pelvis'}
LIMBS = {
    'left_arm': ('left_shoulder', 'left_elbow', 'left_wrist'),
    'right_arm': ('right_shoulder', 'right_elbow', 'right_wrist'),
    'left_leg': ('left_hip', 'left_knee', 'left_ankle'),
    'right_leg': ('right_hip', 'right_knee', 'right_ankle'),
}
ARMS_AND_NOSE = {
    'nose': 'neck',
    'neck': None,
    'right_shoulder': 'neck',
    'right_elbow': 'right_shoulder',
    'right_wrist': 'right_elbow',
    'left_shoulder': 'neck',
    'left_elbow': 'left_shoulder',
    'left_wrist': 'left_elbow',
}
LEGS = {
    'right_knee': 'right_hip',
    'right_ankle': 'right_knee',
    'left_hip': None,
    'left_knee': 'left_hip',
    'left_ankle': 'left_knee',
}
EYES_AND_EARS = {
    'right_eye': 'nose',
    'left_eye': 'nose',
    'right_ear': 'right_eye',
    'left_ear': 'left_eye',
}

OPENPOSE25 = register_skeleton(
    Skeleton(
        'openpose25',
        joints={
            **ARMS_AND_NOSE,
            'mid_hip': 'neck',
            'right_hip': 'mid_hip',
            **LEGS,
            'left_hip': 'mid_hip',
            **EYES_AND_EARS,
            'left_big_toe': 'left_ankle',
            'left_small_toe': 'left_ankle',
            'left_heel': 'left_ankle',
            'right_big_toe': 'right_ankle',
            'right_small_toe': 'right_ankle',
            'right_heel': 'right_ankle',
        },
        limbs=LIMBS,
        origin=('mid_hip',),
        aliases=ALIASES,
    )
)
OPENPOSE18 = register_skeleton(
    Skeleton(
        'openpose18',
        joints={
            **ARMS_AND_NOSE,
            'right_hip': 'neck',
            **LEGS,
            'left_hip': 'neck',
            **EYES_AND_EARS,
        },
        limbs=LIMBS,
        origin=('left_hip', 'right_hip'),
        aliases=ALIASES,
    )
)
