"""Losses between predicted and true joints.

Every loss is called with prediction and truth, both (B, T', J, 3) in metres, and the
skeleton, and returns a scalar.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.geometry.alignment import align_scale
from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class MPJPELoss(nn.Module):
    """Mean per-joint position error in metres, weighted by joint if asked.

    Args:
        weight: Factor of the loss.
        joint_weights: One weight per joint, in the order of the skeleton; the mean of
            weight times distance is taken, as in MixSTE. All 1 if None.
    """

    def __init__(
        self, weight: float = 1.0, joint_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.weight = weight
        self.joint_weights: Tensor | None
        joint_weight_buffer(self, joint_weights)

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean distance, metres."""
        distance = torch.linalg.vector_norm(pred - target, dim=-1)
        if self.joint_weights is not None:
            _check_weights(self.joint_weights, skeleton)
            distance = distance * self.joint_weights
        return self.weight * distance.mean()


@LOSSES.register_module()
class NMPJPELoss(nn.Module):
    """MPJPE after the scale that fits each frame best (N-MPJPE), metres.

    Source: H. Rhodin et al., CVPR 2018; as a loss in MotionBERT, ICCV 2023 (weight
    0.5).

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean distance after scaling, metres."""
        scaled = align_scale(pred, target)
        return self.weight * torch.linalg.vector_norm(scaled - target, dim=-1).mean()


@LOSSES.register_module()
class PoseMSELoss(nn.Module):
    """Mean squared error of the coordinates, square metres."""

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the mean squared coordinate difference."""
        return F.mse_loss(pred, target)


def joint_weight_buffer(
    module: nn.Module, joint_weights: Sequence[float] | None
) -> None:
    """Keep weights per joint with a loss: on its device, out of its checkpoints.

    Args:
        module: The loss; gets the attribute ``joint_weights``, (J,) or None.
        joint_weights: One weight per joint.
    """
    weights = None if joint_weights is None else torch.tensor(joint_weights)
    module.register_buffer('joint_weights', weights, persistent=False)


def _check_weights(weights: Tensor, skeleton: Skeleton) -> None:
    if len(weights) != skeleton.num_joints:
        raise ValueError(
            f'joint_weights has {len(weights)} values, but the skeleton '
            f'{skeleton.name!r} has {skeleton.num_joints} joints'
        )
