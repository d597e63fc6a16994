"""The 16 joints of Human3.6M that detectors trained on MPII see: no Neck/Nose.

The stacked-hourglass keypoints (SH) of Human3.6M, SimpleBaseline's and SemGCN's 16
joints: those of ``h36m17`` without ``nose``, so the head hangs on the thorax.
"""

from sealpose.skeletons.h36m17 import H36M17
from sealpose.skeletons.skeleton import Skeleton, register_skeleton

H36M16 = register_skeleton(
    Skeleton(
        'h36m16',
        joints={
            joint: 'thorax' if joint == 'head' else parent
            for joint, parent in H36M17.joints.items()
            if joint != 'nose'
        },
        limbs=H36M17.limbs,
    )
)
