"""Synthetic negatives: truths with a fault that the loss-net must notice.

Called with the 2D keypoints (B, T', J, 2), the prediction and the truth (B, T', J, 3),
in metres, and the skeleton; returns the faulty pose (B, T', J, 3). All draw from
torch's global generators. The origin of the pose stays where it is, so that the
loss-net cannot tell by that.
"""

import math

import torch
from torch import Tensor

from sealpose.geometry.kinematics import (
    bone_vectors,
    subtree,
    with_bone_lengths,
    with_origin_of,
)
from sealpose.registry import NEGATIVES
from sealpose.skeletons import Skeleton


@NEGATIVES.register_module()
class JointNoise:
    """Moves every joint but the root by Gaussian noise of its own.

    Args:
        std: Standard deviation in metres, per coordinate.
    """

    def __init__(self, std: float = 0.02) -> None:
        self.std = std

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the disturbed truth."""
        noise = self.std * torch.randn_like(y_true)
        noise[..., skeleton.root, :] = 0
        return with_origin_of(y_true, y_true + noise, skeleton)


@NEGATIVES.register_module()
class BoneRotation:
    """Turns one segment, and all that hangs from it, about a random axis.

    The segment is drawn for each sample of the batch; lengths stay right.

    Args:
        degrees: Angle of the turn.
    """

    def __init__(self, degrees: float = 10.0) -> None:
        self.degrees = degrees

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the truth with one turned segment."""
        moved, pivots = _turning_parts(skeleton, y_true)
        drawn = torch.randint(len(pivots), (len(y_true),), device=y_true.device)
        axis = torch.randn(len(y_true), 1, 1, 3, dtype=y_true.dtype).to(y_true.device)
        pivot = y_true[torch.arange(len(y_true)), :, pivots[drawn]][:, :, None]
        turned = pivot + _rotate(y_true - pivot, axis, math.radians(self.degrees))
        changed = torch.where(moved[drawn][:, None, :, None], turned, y_true)
        return with_origin_of(y_true, changed, skeleton)


@NEGATIVES.register_module()
class BoneScaling:
    """Gives every bone a wrong length; directions stay.

    Args:
        spread: Largest relative error; factors are uniform in 1 ± spread, one per
            sample and bone.
    """

    def __init__(self, spread: float = 0.1) -> None:
        self.spread = spread

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the truth with scaled bones."""
        lengths = torch.linalg.vector_norm(bone_vectors(y_true, skeleton), dim=-1)
        factor = 1 + self.spread * (2 * torch.rand_like(lengths[:, :1]) - 1)
        return with_bone_lengths(y_true, lengths * factor, skeleton)


@NEGATIVES.register_module()
class SideSwap:
    """Exchanges the left and right joints of one limb pair: arms, or legs.

    A skeleton without limbs has all its left and right joints exchanged.

    Raises:
        ValueError: on the first batch, where the skeleton has no left and right joints.
    """

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the truth with one pair of limbs exchanged."""
        orders = torch.tensor(_swapped_orders(skeleton), device=y_true.device)
        drawn = torch.randint(len(orders), (len(y_true),), device=y_true.device)
        order = orders[drawn][:, None, :, None].expand_as(y_true)
        return y_true.gather(2, order)


@NEGATIVES.register_module()
class OtherPose:
    """The truth of another sample of the batch: plausible, but not of these keypoints.

    Every sample gets that of the one before it. Needs a batch of two.
    """

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the truths, each one place further."""
        return y_true.roll(1, 0)


def _turning_parts(skeleton: Skeleton, like: Tensor) -> tuple[Tensor, Tensor]:
    """(S, J) joints that move with each segment, (S,) joint that it turns about."""
    moved = torch.zeros(len(skeleton.segments), skeleton.num_joints, dtype=torch.bool)
    for segment, (_, child) in enumerate(skeleton.segments):
        moved[segment, subtree(child, skeleton)] = True
    pivots = torch.tensor([parent for parent, _ in skeleton.segments])
    return moved.to(like.device), pivots.to(like.device)


def _rotate(points: Tensor, axis: Tensor, angle: float) -> Tensor:
    """Rodrigues' formula: (..., 3) about an axis of any length."""
    axis = torch.nn.functional.normalize(axis, dim=-1).expand_as(points)
    along = (axis * points).sum(-1, keepdim=True) * axis
    across = torch.linalg.cross(axis, points)
    return along + math.cos(angle) * (points - along) + math.sin(angle) * across


def _swapped_orders(skeleton: Skeleton) -> list[list[int]]:
    if not skeleton.left_joints:
        raise ValueError(
            f'SideSwap exchanges left and right, but the skeleton {skeleton.name!r} '
            'has no joints whose names begin with left_ and right_; leave it out'
        )
    orders = []
    for name, chain in skeleton.limbs.items():
        if not name.startswith('left_'):
            continue
        order = list(range(skeleton.num_joints))
        for joint in map(skeleton.index, chain):
            twin = skeleton.mirror[joint]
            order[joint], order[twin] = twin, joint
        orders.append(order)
    return orders or [list(skeleton.mirror)]
