"""Corrected predictions: the same pose with a structure that is right.

Called like the synthetic negatives: 2D keypoints (B, T', J, 2), prediction and truth
(B, T', J, 3) in metres, skeleton; returns (B, T', J, 3). The loss-net ranks the
correction below the prediction, and as the two differ in their structure alone, that is
what it learns from them.
"""

from torch import Tensor

from sealpose.geometry.bones import segment_lengths, symmetrise
from sealpose.geometry.kinematics import with_bone_lengths
from sealpose.registry import CORRECTIONS
from sealpose.skeletons import Skeleton


@CORRECTIONS.register_module()
class TrueBoneLengths:
    """The prediction with the bone lengths of the truth; its directions stay."""

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the corrected prediction."""
        return with_bone_lengths(y_pred, segment_lengths(y_true, skeleton), skeleton)


@CORRECTIONS.register_module()
class Symmetrised:
    """The prediction with left and right lengths replaced by their mean."""

    def __call__(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, skeleton: Skeleton
    ) -> Tensor:
        """Return the corrected prediction; the truth is not used.

        Raises:
            ValueError: the skeleton has no left/right pairs of segments.
        """
        lengths = segment_lengths(y_pred, skeleton)
        lengths = symmetrise(lengths, skeleton, 'the correction Symmetrised')
        return with_bone_lengths(y_pred, lengths, skeleton)
