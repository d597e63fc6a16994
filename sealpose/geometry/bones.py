"""Lengths of segments and limbs."""

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
    bones = pose[..., list(children), :] - pose[..., list(parents), :]
    return torch.linalg.vector_norm(bones, dim=-1)


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
