"""Unlabelled people are about as large as the labelled ones."""

from torch import Tensor, nn

from sealpose.geometry.bones import segment_lengths
from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class BoneLengthPriorLoss(nn.Module):
    """Mean difference of mean segment lengths: unlabelled predictions, labelled truth.

    The mean over a batch, so that people may differ in size, metres. Batches without
    unlabelled windows have no such loss: it is 0.

    Source: the bone length term of D. Pavllo et al., 3D human pose estimation in video
    with temporal convolutions and semi-supervised training, CVPR 2019; there against
    the lengths predicted for the labelled windows.

    Args:
        weight: Factor of the loss.
    """

    needs_truth = False
    inputs = ('labelled',)

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(
        self, pred: Tensor, target: Tensor, skeleton: Skeleton, labelled: Tensor | None
    ) -> Tensor:
        """Return the weighted mean difference; labelled windows come first.

        Raises:
            ValueError: the batch does not say which windows are labelled.
        """
        if labelled is None:
            raise ValueError(
                'BoneLengthPriorLoss compares unlabelled windows with labelled ones, '
                'but the batch has no entry `labelled`; use the data set FewLabels'
            )
        count = int(labelled.sum())
        if count == len(pred):
            return 0 * pred.sum()
        known = segment_lengths(target[:count], skeleton).mean((0, 1))
        found = segment_lengths(pred[count:], skeleton).mean((0, 1))
        return self.weight * (found - known).abs().mean()
