"""Skeletons: joints, parents, symmetry, segments and limbs; one module each."""

from sealpose.discovery import import_submodules
from sealpose.skeletons.h36m17 import H36M17
from sealpose.skeletons.mapping import JointMap, map_joints
from sealpose.skeletons.skeleton import (
    Skeleton,
    get_skeleton,
    register_skeleton,
    sub_skeleton,
)

import_submodules(__name__)

__all__ = [
    'H36M17',
    'JointMap',
    'Skeleton',
    'get_skeleton',
    'map_joints',
    'register_skeleton',
    'sub_skeleton',
]
