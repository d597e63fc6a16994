"""The published objective: truth below the negative by a margin."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import RANKING_OBJECTIVES
from sealpose.seal.objectives.distances import PoseDistance
from sealpose.skeletons import Skeleton


@RANKING_OBJECTIVES.register_module()
class MarginObjective(nn.Module):
    """The truth must lie below the negative by a margin that grows with its error.

    ``mean relu(scale * distance(y_neg, y_pos) - energy_neg + energy_pos)``. A negative
    ``scale`` means pure ranking as in the published code: no margin and no hinge,
    ``mean(energy_pos - energy_neg)``, which has no lower bound.

    Args:
        distance: Of a frame, from metres: ``mpjpe``, ``mse``, ``l1``, the structural
            ``bone_length``, ``symmetry``, ``angle``, or name to weight of several. See
            :mod:`sealpose.seal.objectives.distances`.
        scale: Energy per unit of distance.
        per_frame: Each frame has its own margin. False gives all frames the mean
            distance of the batch, as some published runs did.
        skeleton: Skeleton of the poses, or its name; the structural distances need it.
    """

    def __init__(
        self,
        distance: str | Mapping[str, float] = 'mpjpe',
        scale: float = 1.0,
        per_frame: bool = True,
        skeleton: str | Skeleton | None = None,
    ) -> None:
        super().__init__()
        self.distance = PoseDistance(distance, skeleton)
        self.scale = scale
        self.per_frame = per_frame

    def forward(
        self, energy_neg: Tensor, energy_pos: Tensor, y_neg: Tensor, y_pos: Tensor
    ) -> Tensor:
        """Return the scalar objective.

        Args:
            energy_neg: Of the negatives, (..., B, T').
            energy_pos: Of the positive, (B, T').
            y_neg: The negatives, (..., B, T', J, 3), metres.
            y_pos: The positive, (B, T', J, 3), metres.
        """
        return self.hinges(energy_neg, energy_pos, y_neg, y_pos).mean()

    def hinges(
        self, energy_neg: Tensor, energy_pos: Tensor, y_neg: Tensor, y_pos: Tensor
    ) -> Tensor:
        """Return what each frame adds, (..., B, T'): positive where violated."""
        if self.scale < 0:
            return energy_pos - energy_neg
        distance = self.distance(y_neg, y_pos)
        if not self.per_frame:
            distance = distance.mean()
        return F.relu(self.scale * distance - energy_neg + energy_pos)
