"""Share of correct keypoints, as MPI-INF-3DHP measures it.

Mehta et al., Monocular 3D human pose estimation in the wild using improved CNN
supervision, 3DV 2017. Its official tool evaluates 14 joints; several published codes
evaluate all 17, which gives other figures. So every name says how many: ``-14`` are the
joints of the official tool (the skeleton's joint set ``official14``), ``-all`` all
joints of the skeleton.

All take prediction and truth of one sequence, (T, J, 3) metres, and the skeleton.
"""

import torch
from torch import Tensor

from sealpose.evaluation.functional.frame_metric import (
    MM_PER_METRE,
    PERCENT,
    frame_metric,
)
from sealpose.skeletons import Skeleton

PCK_THRESHOLD = 150.0
# 0, 5, ..., 150 mm: the 31 thresholds of the official tool.
AUC_THRESHOLDS = tuple(range(0, 151, 5))
OFFICIAL = 'official14'


def _errors(pred: Tensor, gt: Tensor) -> Tensor:
    """Distance of each joint, (T, J), millimetres."""
    return torch.linalg.vector_norm(pred - gt, dim=-1) * MM_PER_METRE


def _official_errors(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    joints = list(skeleton.joint_set(OFFICIAL))
    return _errors(pred[:, joints], gt[:, joints])


def _pck(errors: Tensor) -> Tensor:
    # A joint at the threshold is not correct, as in the official tool.
    return (errors < PCK_THRESHOLD).to(errors).mean(-1) * PERCENT


def _auc(errors: Tensor) -> Tensor:
    # As many thresholds as a joint does not stay below; a joint that is NaN, all.
    missed = torch.bucketize(errors, errors.new_tensor(AUC_THRESHOLDS), right=True)
    return (1 - missed.to(errors).mean(-1) / len(AUC_THRESHOLDS)) * PERCENT


@frame_metric('PCK-14', unit='%', higher_is_better=True, framewise=True)
def pck_official(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Share of the 14 official joints that are less than 150 mm off.

    Returns:
        (T,), percent.
    """
    return _pck(_official_errors(pred, gt, skeleton))


@frame_metric('AUC-14', unit='%', higher_is_better=True, framewise=True)
def auc_official(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean over the thresholds 0, 5, ..., 150 mm of PCK over the 14 official joints.

    Returns:
        (T,), percent.
    """
    return _auc(_official_errors(pred, gt, skeleton))


@frame_metric('PCK-all', unit='%', higher_is_better=True, framewise=True)
def pck_all(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Share of all joints, the root among them, that are less than 150 mm off.

    Returns:
        (T,), percent.
    """
    return _pck(_errors(pred, gt))


@frame_metric('AUC-all', unit='%', higher_is_better=True, framewise=True)
def auc_all(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean over the thresholds 0, 5, ..., 150 mm of PCK over all joints.

    Returns:
        (T,), percent.
    """
    return _auc(_errors(pred, gt))
