"""Which poses the loss-net ranks against each other."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sealpose.skeletons import Skeleton

# (x, y_pred, y_true, skeleton) -> a pose like y_true.
PoseMaker = Callable[[Tensor, Tensor, Tensor, Skeleton | None], Tensor]


class Contrast:
    """The prediction against the truth, and what else is to be told apart.

    The truth has to lie below the prediction and below every synthetic negative; the
    prediction has to lie above its corrected versions too. A corrected version differs
    from the prediction in structure alone, so what the loss-net learns from the pair is
    structure.

    Args:
        negatives: Callables that make a worse pose from the truth.
        corrections: Callables that make a better pose from the prediction.
        skeleton: Skeleton of the poses; negatives and corrections need it.
    """

    # Places in the stack of poses.
    TRUTH, PREDICTION = 0, 1

    def __init__(
        self,
        negatives: Sequence[PoseMaker] = (),
        corrections: Sequence[PoseMaker] = (),
        skeleton: Skeleton | None = None,
    ) -> None:
        self.negatives = negatives
        self.corrections = corrections
        self.skeleton = skeleton

    def poses(self, x: Tensor, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Stack all poses whose energies are needed.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y_pred: Predicted poses (B, T', J, 3), metres.
            y_true: True poses, like ``y_pred``.

        Returns:
            (K, B, T', J, 3): truth, prediction, negatives, corrections.
        """
        made = (
            make(x, y_pred, y_true, self.skeleton)
            for make in (*self.negatives, *self.corrections)
        )
        return torch.stack([y_true, y_pred, *made])

    def objective(self, ranking: nn.Module, energies: Tensor, poses: Tensor) -> Tensor:
        """Return the mean of what the ranking objective says of all comparisons.

        Args:
            ranking: Ranking objective.
            energies: (K, B, T') of ``poses``.
            poses: (K, B, T', J, 3), as :meth:`poses` stacks them.
        """
        first = self.PREDICTION + 1 + len(self.negatives)
        truth, prediction = self.TRUTH, self.PREDICTION
        # A single negative has no axis of its own.
        negatives = slice(prediction, first) if self.negatives else prediction
        terms = [
            ranking(
                energies[negatives], energies[truth], poses[negatives], poses[truth]
            )
        ]
        terms += [
            ranking(energies[prediction], energies[k], poses[prediction], poses[k])
            for k in range(first, len(poses))
        ]
        return sum(terms) / len(terms)
