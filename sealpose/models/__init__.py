"""Pose-nets: the lifter, backbones, losses."""

from sealpose.models.backbones import Backbone
from sealpose.models.data_preprocessor import PoseDataPreprocessor
from sealpose.models.losses import (
    BoneLengthLoss,
    MPJPELoss,
    PoseMSELoss,
    SymmetryLoss,
)
from sealpose.models.pose_lifter import PoseLifter

__all__ = [
    'Backbone',
    'BoneLengthLoss',
    'MPJPELoss',
    'PoseDataPreprocessor',
    'PoseLifter',
    'PoseMSELoss',
    'SymmetryLoss',
]
