"""How far a pose is from the truth: in its joints, or in its structure alone.

Every distance maps (..., J, 3) and (..., J, 3), metres, to (...), one per frame.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from sealpose.geometry.bones import segment_lengths, side_lengths, symmetric_pairs
from sealpose.geometry.kinematics import bone_vectors
from sealpose.skeletons import Skeleton, get_skeleton

SYMMETRY = "the distance 'symmetry'"


def mpjpe(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean distance of the joints, metres."""
    return torch.linalg.vector_norm(y - truth, dim=-1).mean(-1)


def mse(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean squared coordinate difference, square metres."""
    return (y - truth).square().mean((-2, -1))


def l1(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean absolute coordinate difference, metres."""
    return (y - truth).abs().mean((-2, -1))


def bone_length(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean relative error of the segment lengths: BSLE / 100."""
    lengths, true = segment_lengths(y, skeleton), segment_lengths(truth, skeleton)
    return ((lengths - true).abs() / true.clamp(min=1e-3)).mean(-1)


def symmetry(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean of how much |left - right| / (left + right) exceeds that of the truth."""
    excess = _asymmetry(y, skeleton) - _asymmetry(truth, skeleton)
    return excess.clamp(min=0).mean(-1)


def angle(y: Tensor, truth: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean of (1 - cosine) / 2 between segments and true segments, 0 to 1."""
    directions = torch.cosine_similarity(
        bone_vectors(y, skeleton), bone_vectors(truth, skeleton), dim=-1
    )
    return (1 - directions).mean(-1) / 2


_Distance = Callable[[Tensor, Tensor, Skeleton], Tensor]
STRUCTURAL: dict[str, _Distance] = {
    f.__name__: f for f in (bone_length, symmetry, angle)
}
DISTANCES: dict[str, _Distance] = {
    **{f.__name__: f for f in (mpjpe, mse, l1)},
    **STRUCTURAL,
}


class PoseDistance:
    """A distance by name, or a weighted sum of several.

    Args:
        distance: Name from DISTANCES, or name to weight.
        skeleton: Skeleton of the poses, or its name; the structural distances need it.

    Raises:
        ValueError: an unknown name, a structural distance without skeleton, or
            ``symmetry`` of a skeleton without left/right pairs.
    """

    def __init__(
        self,
        distance: str | Mapping[str, float],
        skeleton: str | Skeleton | None = None,
    ) -> None:
        weights = {distance: 1.0} if isinstance(distance, str) else dict(distance)
        if not weights or weights.keys() - DISTANCES.keys():
            raise ValueError(
                f'distance must be one of {", ".join(DISTANCES)}, or a dict of their '
                f'weights, but got {distance!r}'
            )
        if skeleton is None and weights.keys() & STRUCTURAL.keys():
            raise ValueError(
                f'the distance {distance!r} compares segments, so it needs `skeleton`'
            )
        self.weights = weights
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if 'symmetry' in weights:
            symmetric_pairs(self.skeleton, SYMMETRY)

    def __call__(self, y: Tensor, truth: Tensor) -> Tensor:
        """Return the distance (...) of each frame of (..., J, 3), metres."""
        parts = (
            weight * DISTANCES[name](y, truth, self.skeleton)
            for name, weight in self.weights.items()
        )
        return sum(parts)


def _asymmetry(y: Tensor, skeleton: Skeleton) -> Tensor:
    left, right = side_lengths(y, skeleton, SYMMETRY)
    return (left - right).abs() / (left + right).clamp(min=1e-3)
