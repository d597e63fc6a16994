"""Whether the segments keep their lengths, as ManiPose measures it.

Rommel et al., "ManiPose: Manifold-constrained multi-hypothesis 3D human pose
estimation", NeurIPS 2024. Both look at the prediction alone, (T, J, 3) metres.
"""

from torch import Tensor

from sealpose.evaluation.functional.frame_metric import MM_PER_METRE, frame_metric
from sealpose.geometry.bones import segment_lengths, side_lengths
from sealpose.skeletons import Skeleton


@frame_metric('MPSSE', unit='mm', needs_truth=False, framewise=True)
def mpsse(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean per-segment symmetry error: ``mean |l - r|`` over all left/right pairs.

    The name under which ManiPose reports what SEAL-pose calls LSE in millimetres.

    Returns:
        (T,), millimetres.
    """
    left, right = side_lengths(pred, skeleton, 'the metric MPSSE')
    return (left - right).abs().mean(-1) * MM_PER_METRE


@frame_metric('MPSCE', unit='mm', needs_truth=False)
def mpsce(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean per-segment consistency error: how much lengths vary over the sequence.

    ``mean_s sqrt(sum_t (l_s(t) - mean_t l_s)² / (T - 1))`` over all segments; a rigid
    body has 0. The published code takes the deviation over windows of the network, or
    over all clips of an action one after the other, so that its figures are lower and
    higher than this one; compare only what was measured alike. In float64, since the
    deviation is small beside the lengths.

    Returns:
        (T,), millimetres, the same for every frame, so that long sequences count by
        their frames; nothing for a single frame.
    """
    if len(pred) < 2:
        return pred.new_empty(0)
    deviation = segment_lengths(pred.double(), skeleton).std(0).mean()
    return (deviation * MM_PER_METRE).expand(len(pred))
