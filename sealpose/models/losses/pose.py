"""Losses between predicted and true joints.

Every loss is called with prediction and truth, both (B, T', J, 3) in metres, and the
skeleton, and returns a scalar.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class MPJPELoss(nn.Module):
    """Mean per-joint position error in metres, weighted by joint if asked.

    Args:
        joint_weights: One weight per joint, in the order of the skeleton; the mean of
            weight times distance is taken, as in MixSTE. All 1 if None.
    """

    def __init__(self, joint_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if joint_weights is None else torch.tensor(joint_weights)
        self.register_buffer('joint_weights', weights, persistent=False)

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the mean distance, metres."""
        distance = torch.linalg.vector_norm(pred - target, dim=-1)
        if self.joint_weights is None:
            return distance.mean()
        if len(self.joint_weights) != skeleton.num_joints:
            raise ValueError(
                f'joint_weights has {len(self.joint_weights)} values, but the skeleton '
                f'{skeleton.name!r} has {skeleton.num_joints} joints'
            )
        return (distance * self.joint_weights).mean()


@LOSSES.register_module()
class PoseMSELoss(nn.Module):
    """Mean squared error of the coordinates, square metres."""

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the mean squared coordinate difference."""
        return F.mse_loss(pred, target)
