"""Poses as bones: directions, lengths, and joints put together from them."""

import torch
from torch import Tensor

from sealpose.geometry.bones import segment_lengths, symmetrise
from sealpose.skeletons import Skeleton


def bone_vectors(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Vector of every segment from parent to child, in the order of the segments.

    Args:
        pose: (..., J, 3), metres.
        skeleton: The skeleton of the pose.

    Returns:
        (..., S, 3), metres.
    """
    parents, children = zip(*skeleton.segments, strict=True)
    return pose[..., list(children), :] - pose[..., list(parents), :]


def pose_from_bones(bones: Tensor, skeleton: Skeleton, root: Tensor) -> Tensor:
    """Put a pose together from its bones: forward kinematics.

    Args:
        bones: (..., S, 3), metres, as :func:`bone_vectors` orders them.
        skeleton: The skeleton of the pose.
        root: Position of the root joint (..., 3), metres.

    Returns:
        (..., J, 3), metres.
    """
    # Each joint is the root plus the bones on the way to it: one product instead of a
    # walk along the tree.
    paths = _paths(skeleton).to(bones)
    return root[..., None, :] + torch.einsum('js,...sc->...jc', paths, bones)


def with_bone_lengths(pose: Tensor, lengths: Tensor, skeleton: Skeleton) -> Tensor:
    """Give a pose other bone lengths; directions and origin stay.

    Args:
        pose: (..., J, 3), metres.
        lengths: (..., S), metres, in the order of the segments.
        skeleton: The skeleton of the pose.

    Returns:
        Like ``pose``. A bone without length has no direction and stays so.
    """
    bones = bone_vectors(pose, skeleton)
    directions = torch.nn.functional.normalize(bones, dim=-1)
    root = pose[..., skeleton.root, :]
    changed = pose_from_bones(directions * lengths[..., None], skeleton, root)
    return with_origin_of(pose, changed, skeleton)


def with_constant_bones(poses: Tensor, skeleton: Skeleton) -> Tensor:
    """Give one person's poses the same bones: mean lengths, left and right alike.

    Args:
        poses: Of one person, (T, J, 3), metres.
        skeleton: Their skeleton; without left and right, only the mean is taken.

    Returns:
        (T, J, 3); directions and origins stay.
    """
    lengths = segment_lengths(poses, skeleton).mean(0)
    if skeleton.symmetric_segments:
        lengths = symmetrise(lengths, skeleton, 'with_constant_bones')
    return with_bone_lengths(poses, lengths.expand(len(poses), -1), skeleton)


def with_origin_of(source: Tensor, pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Shift a pose so that its origin lies where that of another does.

    Args:
        source: (..., J, 3), metres.
        pose: Like ``source``.
        skeleton: Of both; says which joints make the origin.
    """
    origin = list(skeleton.origin_joints)
    shift = (source[..., origin, :] - pose[..., origin, :]).mean(-2, keepdim=True)
    return pose + shift


def subtree(joint: int, skeleton: Skeleton) -> list[int]:
    """Return a joint and all that hang from it."""
    below = [joint]
    for parent in below:
        below += [c for p, c in skeleton.segments if p == parent]
    return below


def _paths(skeleton: Skeleton) -> Tensor:
    """(J, S): 1 where a segment lies between the root and a joint."""
    paths = torch.zeros(skeleton.num_joints, len(skeleton.segments))
    for segment, (_, child) in enumerate(skeleton.segments):
        paths[subtree(child, skeleton), segment] = 1
    return paths
