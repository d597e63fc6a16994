"""Which joints the energy blames."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sealpose.analysis.energy_field import EnergyField


def joint_norms(vectors: Tensor) -> Tensor:
    """Return the length of each joint's vector: (N, J, 3) to (N, J)."""
    return torch.linalg.vector_norm(vectors, dim=-1)


def rank_agreement(blame: Tensor, error: Tensor) -> Tensor:
    """Return Spearman's correlation over the joints of each frame.

    Args:
        blame: (N, J), how much each joint is blamed.
        error: (N, J), how wrong it is.

    Returns:
        (N,); NaN where all joints are equal in either.
    """
    a, b = (
        ranks - ranks.mean(-1, keepdim=True) for ranks in map(_ranks, (blame, error))
    )
    return (a * b).sum(-1) / (a.square().sum(-1) * b.square().sum(-1)).sqrt()


def _ranks(values: Tensor) -> Tensor:
    """Rank within each row, ties averaged: (N, J) to (N, J)."""
    below = (values[:, None, :] < values[:, :, None]).sum(-1)
    equal = (values[:, None, :] == values[:, :, None]).sum(-1)
    return below + (equal + 1.0) / 2


def same_worst(blame: Tensor, error: Tensor) -> Tensor:
    """Tell in which frames the joint that is blamed most is the most wrong: (N,)."""
    return (blame.argmax(-1) == error.argmax(-1)).to(blame)


@dataclass(frozen=True)
class Localisation:
    """What the energy says of true poses with one joint moved away.

    Args:
        joint: (N,) int64: the joint that was moved.
        found: (N,): 1 where its gradient is the largest of all joints, else 0.
        points_back: (N,): cosine of the descent at that joint with the way back.
    """

    joint: Tensor
    found: Tensor
    points_back: Tensor


def locate_moved_joint(
    field: EnergyField, gt: Tensor, distance: float, root: int, seed: int = 0
) -> Localisation:
    """Move one joint of every true pose and ask the energy which it was.

    Args:
        field: The energy.
        gt: (N, J, 3), metres, true poses.
        distance: How far the joint moves, metres, in a random direction.
        root: A joint that stays; the others are as likely to be moved.
        seed: Chooses joints and directions.
    """
    frames, joints = gt.shape[:2]
    generator = torch.Generator().manual_seed(seed)
    moved = torch.randint(joints - 1, (frames,), generator=generator)
    moved = (moved + (moved >= root)).to(gt.device)
    way = torch.randn(frames, 3, generator=generator).to(gt)
    way = way / torch.linalg.vector_norm(way, dim=-1, keepdim=True)
    number = torch.arange(frames, device=gt.device)
    disturbed = gt.clone()
    disturbed[number, moved] += distance * way
    gradient = field.gradient(disturbed)
    found = (joint_norms(gradient).argmax(-1) == moved).to(gt)
    # The way back is -way and the descent -gradient.
    cosine = torch.cosine_similarity(gradient[number, moved], way, dim=-1, eps=1e-30)
    return Localisation(moved, found, cosine)
