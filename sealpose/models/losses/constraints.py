"""Explicit structural constraints: the hand-written rivals of a learned loss.

Called like the pose losses: prediction and truth (B, T', J, 3) in metres, skeleton.
"""

from torch import Tensor, nn

from sealpose.geometry.bones import segment_lengths, side_lengths
from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class SymmetryLoss(nn.Module):
    """Mean |left length − right length| over all symmetric segments, metres.

    Args:
        weight: Factor of the loss.
    """

    needs_truth = False

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean length difference of left and right.

        Raises:
            ValueError: the skeleton has no left/right pairs of segments.
        """
        left, right = side_lengths(pred, skeleton, 'SymmetryLoss')
        return self.weight * (left - right).abs().mean()


@LOSSES.register_module()
class BoneLengthLoss(nn.Module):
    """Mean |predicted length − true length| over all segments, metres.

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
        """Return the weighted mean error of the segment lengths."""
        error = segment_lengths(pred, skeleton) - segment_lengths(target, skeleton)
        return self.weight * error.abs().mean()
