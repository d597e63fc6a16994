"""Lengths of segments and limbs."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sealpose.skeletons import Skeleton


def segment_lengths(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Length of every segment, in the order of ``skeleton.segments``.

    Args:
        pose: (..., J, 3), metres.
        skeleton: The skeleton of the pose.

    Returns:
        (..., S), metres.
    """
    parents, children = zip(*skeleton.segments, strict=True)
    bones = _select(pose, children) - _select(pose, parents)
    return torch.linalg.vector_norm(bones, dim=-1)


def _select(pose: Tensor, joints: Sequence[int]) -> Tensor:
    """Return (..., len(joints), 3)."""
    if pose.requires_grad:
        # On a GPU the gradient of index_select comes in another order every time.
        return pose[..., list(joints), :]
    return pose.index_select(-2, torch.tensor(joints, device=pose.device))


def symmetric_pairs(skeleton: Skeleton, user: str) -> tuple[list[int], list[int]]:
    """Positions of the left segments, and of the right twin of each.

    Args:
        skeleton: The skeleton.
        user: Who asks, for the error.

    Raises:
        ValueError: the skeleton has no left/right pairs of segments.
    """
    if not skeleton.symmetric_segments:
        raise ValueError(
            f'{user} compares left with right, but the skeleton {skeleton.name!r} has '
            'no left/right pairs of segments; leave it out, or give the joints of both '
            'sides names that begin with left_ and right_'
        )
    left, right = zip(*skeleton.symmetric_segments, strict=True)
    return list(left), list(right)


def symmetrise(lengths: Tensor, skeleton: Skeleton, user: str) -> Tensor:
    """Replace the lengths of left segments and their right twins by their mean.

    Args:
        lengths: (..., S), in the order of the segments.
        skeleton: The skeleton they are of.
        user: Who needs the pairs; named in the error.

    Returns:
        Like ``lengths``.

    Raises:
        ValueError: the skeleton has no left/right pairs of segments.
    """
    left, right = symmetric_pairs(skeleton, user)
    mean = (lengths[..., left] + lengths[..., right]) / 2
    order = torch.tensor([*left, *right], device=lengths.device)
    return lengths.index_copy(-1, order, torch.cat([mean, mean], -1))


def side_lengths(pose: Tensor, skeleton: Skeleton, user: str) -> tuple[Tensor, Tensor]:
    """Lengths of the left segments, and of the right twin of each.

    Args:
        pose: (..., J, 3), metres.
        skeleton: The skeleton of the pose.
        user: Who asks, for the error.

    Returns:
        Two of (..., pairs), metres.

    Raises:
        ValueError: the skeleton has no left/right pairs of segments.
    """
    left, right = symmetric_pairs(skeleton, user)
    lengths = segment_lengths(pose, skeleton)
    return lengths[..., left], lengths[..., right]


def limb_lengths(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Length of every limb, the sum of its segments; in the order of the limbs.

    Args:
        pose: (..., J, 3), metres.
        skeleton: The skeleton of the pose.

    Returns:
        (..., L), metres.

    Raises:
        ValueError: the skeleton has no limbs.
    """
    if not skeleton.limb_segments:
        raise ValueError(
            f'skeleton {skeleton.name!r} has no limbs; name them in its table: '
            "limbs={'left_arm': ('left_shoulder', 'left_elbow', 'left_wrist'), ...}"
        )
    lengths = segment_lengths(pose, skeleton)
    limbs = skeleton.limb_segments.values()
    return torch.stack([lengths[..., list(limb)].sum(-1) for limb in limbs], -1)
