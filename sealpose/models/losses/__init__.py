"""Losses on poses: distances to the truth, motion, explicit constraints."""

from sealpose.models.losses.bone_prior import BoneLengthPriorLoss
from sealpose.models.losses.constraints import BoneLengthLoss, SymmetryLoss
from sealpose.models.losses.pose import MPJPELoss, NMPJPELoss, PoseMSELoss
from sealpose.models.losses.reprojection import ReprojectionLoss
from sealpose.models.losses.temporal import SmoothnessLoss, VelocityLoss

__all__ = [
    'BoneLengthLoss',
    'BoneLengthPriorLoss',
    'MPJPELoss',
    'NMPJPELoss',
    'PoseMSELoss',
    'ReprojectionLoss',
    'SmoothnessLoss',
    'SymmetryLoss',
    'VelocityLoss',
]
