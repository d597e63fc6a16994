"""What can be said of a motion without knowing the truth.

All take the prediction of one sequence, (T, J, 3) metres, and the skeleton; the truth,
their second argument, is not looked at.
"""

import torch
from torch import Tensor

from sealpose.evaluation.functional.frame_metric import (
    MM_PER_METRE,
    PERCENT,
    frame_metric,
)
from sealpose.geometry.alignment import TINY
from sealpose.geometry.bones import segment_lengths, side_lengths
from sealpose.skeletons import Skeleton

# A frame is flagged when a segment is so far from its median over the sequence, or a
# left segment from its right twin, as a share of the length.
FLAG_SHARE = 0.25


def _deviations(pred: Tensor, skeleton: Skeleton) -> Tensor:
    """Return ``|l - median over time| / median`` of each segment, (T, S)."""
    lengths = segment_lengths(pred, skeleton)
    median = lengths.median(0).values
    return (lengths - median).abs() / median.clamp_min(TINY)


@frame_metric('BLD', unit='%', needs_truth=False)
def bone_length_deviation(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Bone-length deviation over time: mean over segments of ``|l - m| / m``.

    ``m`` is the segment's median length in the sequence; a rigid body has 0.

    Returns:
        (T,), percent.
    """
    return _deviations(pred, skeleton).mean(-1) * PERCENT


@frame_metric('Jitter', unit='mm/frame²', needs_truth=False)
def jitter(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean acceleration of the joints, ``|x[t+1] - 2 x[t] + x[t-1]|``.

    Returns:
        (T - 2,), millimetres per frame squared; nothing for fewer than 3 frames.
    """
    acceleration = pred[2:] - 2 * pred[1:-1] + pred[:-2]
    return torch.linalg.vector_norm(acceleration, dim=-1).mean(-1) * MM_PER_METRE


@frame_metric('Flagged', unit='%', needs_truth=False)
def flagged(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Share of frames whose body cannot be right.

    A frame is flagged if any segment differs by a quarter or more from its median
    length in the sequence, or from its twin on the other side.

    Returns:
        (T,), 100 for a flagged frame, 0 for another.
    """
    worst = _deviations(pred, skeleton).amax(-1)
    if skeleton.symmetric_segments:
        left, right = side_lengths(pred, skeleton, 'the metric Flagged')
        shorter = torch.minimum(left, right).clamp_min(TINY)
        worst = torch.maximum(worst, ((left - right).abs() / shorter).amax(-1))
    return (worst >= FLAG_SHARE).to(pred) * PERCENT
