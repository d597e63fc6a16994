"""Whether the body is one that could exist: symmetric, with bones of the right length.

All take prediction and truth of one sequence, (T, J, 3) metres, and the skeleton.
"LSE", "BSLE" and "LLE" are the structural metrics of SEAL-pose, arXiv 2602.20051.
"""

from torch import Tensor

from sealpose.evaluation.functional.frame_metric import (
    MM_PER_METRE,
    PERCENT,
    frame_metric,
)
from sealpose.geometry.alignment import TINY
from sealpose.geometry.bones import limb_lengths, segment_lengths, side_lengths
from sealpose.skeletons import Skeleton


def _relative_error(pred: Tensor, gt: Tensor) -> Tensor:
    return ((pred - gt).abs() / gt).mean(-1) * PERCENT


def _absolute_error(pred: Tensor, gt: Tensor) -> Tensor:
    return (pred - gt).abs().mean(-1) * MM_PER_METRE


@frame_metric('LSE', unit='%', needs_truth=False, framewise=True)
def lse(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Limb symmetry error of the prediction, relative.

    ``mean |l - r| / (l + r)`` over all pairs of a left segment and its right twin. The
    truth does not enter; it is itself not perfectly symmetric in measured data.

    Returns:
        (T,), percent.
    """
    left, right = side_lengths(pred, skeleton, 'the metric LSE')
    # Two segments of no length at all are symmetric.
    ratio = (left - right).abs() / (left + right).clamp_min(TINY)
    return ratio.mean(-1) * PERCENT


@frame_metric('LSE-mm', unit='mm', needs_truth=False, framewise=True)
def lse_mm(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Limb symmetry error of the prediction: ``mean |l - r|`` over all pairs.

    Returns:
        (T,), millimetres.
    """
    return _absolute_error(*side_lengths(pred, skeleton, 'the metric LSE-mm'))


@frame_metric('BSLE', unit='%', framewise=True)
def bsle(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Body segment length error, relative: ``mean |l̂ - l| / l`` over all segments.

    Returns:
        (T,), percent.
    """
    return _relative_error(
        segment_lengths(pred, skeleton), segment_lengths(gt, skeleton)
    )


@frame_metric('BSLE-mm', unit='mm', framewise=True)
def bsle_mm(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Body segment length error: ``mean |l̂ - l|`` over all segments.

    Returns:
        (T,), millimetres.
    """
    return _absolute_error(
        segment_lengths(pred, skeleton), segment_lengths(gt, skeleton)
    )


@frame_metric('LLE', unit='%', framewise=True)
def lle(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Limb length error, relative: ``mean |l̂ - l| / l`` over whole limbs.

    The length of a limb is the sum of its segments, so that an upper arm too long by
    what its forearm lacks counts as right.

    Returns:
        (T,), percent.
    """
    return _relative_error(limb_lengths(pred, skeleton), limb_lengths(gt, skeleton))


@frame_metric('LLE-mm', unit='mm', framewise=True)
def lle_mm(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Limb length error: ``mean |l̂ - l|`` over whole limbs.

    Returns:
        (T,), millimetres.
    """
    return _absolute_error(limb_lengths(pred, skeleton), limb_lengths(gt, skeleton))
