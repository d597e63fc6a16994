"""Losses on poses: distances to the truth and explicit constraints."""

from sealpose.models.losses.constraints import BoneLengthLoss, SymmetryLoss
from sealpose.models.losses.pose import MPJPELoss, PoseMSELoss

__all__ = ['BoneLengthLoss', 'MPJPELoss', 'PoseMSELoss', 'SymmetryLoss']
