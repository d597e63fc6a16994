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
