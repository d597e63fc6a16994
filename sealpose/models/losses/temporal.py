"""Losses on how a pose changes from frame to frame, for seq2seq backbones.

Called like the pose losses: prediction and truth (B, T', J, 3) in metres, skeleton. A
window of one frame has no motion: these losses are then 0.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sealpose.models.losses.pose import weight_joints
from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class VelocityLoss(nn.Module):
    """Mean per-joint velocity error (MPJVE), metres a frame.

    Source: D. Pavllo et al., CVPR 2019; as a loss in MixSTE, CVPR 2022 (weight 2) and
    MotionBERT, ICCV 2023 (weight 20).

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean distance of the frame-to-frame displacements."""
        error = _motion(pred) - _motion(target)
        return self.weight * _mean(torch.linalg.vector_norm(error, dim=-1))


@LOSSES.register_module()
class SmoothnessLoss(nn.Module):
    """Mean squared frame-to-frame displacement of the prediction, square metres.

    Source: the temporal consistency loss of MixSTE, CVPR 2022 (weight 0.5, with the
    joint weights of its position loss).

    Args:
        weight: Factor of the loss.
        joint_weights: Joint name to its weight, 1 for those not named.
    """

    needs_truth = False

    def __init__(
        self, weight: float = 1.0, joint_weights: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self.weight = weight
        self.joint_weights = dict(joint_weights or {})

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean squared displacement."""
        squared = _motion(pred).square()
        if self.joint_weights:
            weights = weight_joints(squared, self.joint_weights, skeleton)
            squared = squared * weights[:, None]
        return self.weight * _mean(squared)


def _motion(pose: Tensor) -> Tensor:
    return pose[:, 1:] - pose[:, :-1]


def _mean(values: Tensor) -> Tensor:
    # The mean of nothing is NaN, and would spoil the sum of the losses.
    return values.mean() if values.numel() else values.sum()
