"""Readers of the files that motion capture comes in."""

from sealpose.datasets.readers.amc import read_amc
from sealpose.datasets.readers.asf import AsfSkeleton, read_asf
from sealpose.datasets.readers.bvh import BvhMotion, read_bvh
from sealpose.datasets.readers.cmu_joints import h36m17_from_amc, h36m17_from_bvh
from sealpose.datasets.readers.motion import JointTracks
from sealpose.datasets.readers.npz import read_npz

__all__ = [
    'AsfSkeleton',
    'BvhMotion',
    'JointTracks',
    'h36m17_from_amc',
    'h36m17_from_bvh',
    'read_amc',
    'read_asf',
    'read_bvh',
    'read_npz',
]
