"""Losses between predicted and true joints.

Every loss is called with prediction and truth, both (B, T', J, 3) in metres, and the
skeleton, and returns a scalar.
"""

from collections.abc import Mapping
from functools import cache

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
        joint_weights: Joint name to its weight, 1 for those not named; the mean of
            weight times distance is taken, as in MixSTE.
    """

    def __init__(
        self, weight: float = 1.0, joint_weights: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self.weight = weight
        self.joint_weights = dict(joint_weights or {})

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean distance, metres."""
        distance = torch.linalg.vector_norm(pred - target, dim=-1)
        if self.joint_weights:
            distance = distance * weight_joints(distance, self.joint_weights, skeleton)
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


def weight_joints(
    like: Tensor, weights: Mapping[str, float], skeleton: Skeleton
) -> Tensor:
    """Return one weight per joint, (J,), 1 for those not named.

    Args:
        like: Gives type and device.
        weights: Joint name to weight.
        skeleton: Gives the order of the joints.

    Raises:
        ValueError: the skeleton has no joint of a name.
    """
    for joint in weights:
        skeleton.index(joint)
    return _weight_vector(
        skeleton.joint_names, tuple(weights.items()), like.dtype, like.device
    )


# Built once: a copy to the device in every iteration would wait for it.
@cache
def _weight_vector(
    joints: tuple[str, ...],
    weights: tuple[tuple[str, float], ...],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    values = torch.ones(len(joints), dtype=dtype)
    for joint, weight in weights:
        values[joints.index(joint)] = weight
    return values.to(device)
