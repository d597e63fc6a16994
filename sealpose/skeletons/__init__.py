"""Skeletons: joints, parents, symmetry, segments and limbs."""

from sealpose.skeletons.h36m17 import H36M17
from sealpose.skeletons.skeleton import Skeleton, get_skeleton, register_skeleton

__all__ = ['H36M17', 'Skeleton', 'get_skeleton', 'register_skeleton']
