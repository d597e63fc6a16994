"""The 17 joints of MPI-INF-3DHP in the order of its official test tool.

Joint 16 is the middle of the head, joint 0 its top.
"""

from sealpose.skeletons.skeleton import Skeleton, register_skeleton

MPI_INF_3DHP17 = register_skeleton(
    Skeleton(
        'mpi_inf_3dhp17',
        joints={
            'head_top': 'neck',
            'neck': 'spine',
            'right_shoulder': 'neck',
            'right_elbow': 'right_shoulder',
            'right_wrist': 'right_elbow',
            'left_shoulder': 'neck',
            'left_elbow': 'left_shoulder',
            'left_wrist': 'left_elbow',
            'right_hip': 'pelvis',
            'right_knee': 'right_hip',
            'right_ankle': 'right_knee',
            'left_hip': 'pelvis',
            'left_knee': 'left_hip',
            'left_ankle': 'left_knee',
            'pelvis': None,
            'spine': 'pelvis',
            'head': 'neck',
        },
        limbs={
            'left_arm': ('left_shoulder', 'left_elbow', 'left_wrist'),
            'right_arm': ('right_shoulder', 'right_elbow', 'right_wrist'),
            'left_leg': ('left_hip', 'left_knee', 'left_ankle'),
            'right_leg': ('right_hip', 'right_knee', 'right_ankle'),
        },
        joint_sets={
            # What the official tool evaluates: not pelvis, spine and head.
            'official14': (
                'head_top',
                'neck',
                'right_shoulder',
                'right_elbow',
                'right_wrist',
                'left_shoulder',
                'left_elbow',
                'left_wrist',
                'right_hip',
                'right_knee',
                'right_ankle',
                'left_hip',
                'left_knee',
                'left_ankle',
            )
        },
        aliases={'neck': 'thorax', 'head_top': 'head', 'head': 'head_center'},
    )
)
