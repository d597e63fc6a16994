"""The objective of the original SEAL: the energy is the error itself."""

from collections.abc import Mapping

from torch import Tensor, nn

from sealpose.registry import RANKING_OBJECTIVES
from sealpose.seal.objectives.distances import PoseDistance
from sealpose.skeletons import Skeleton


@RANKING_OBJECTIVES.register_module()
class RegressionObjective(nn.Module):
    """The energy of a pose is fitted to its distance from the truth.

    ``mean (energy_neg - scale * distance)^2 + mean energy_pos^2``: Lee et al.,
    Structured Energy As Loss, NeurIPS 2022. It calibrates the energy: across frames it
    estimates the error of a prediction, in the unit of the distance.

    Args:
        distance: As in :class:`~sealpose.seal.objectives.margin.MarginObjective`.
        scale: Energy per unit of distance. Metres make small numbers: 10 counts
            decimetres.
        skeleton: Skeleton of the poses, or its name; the structural distances need it.
    """

    def __init__(
        self,
        distance: str | Mapping[str, float] = 'mpjpe',
        scale: float = 10.0,
        skeleton: str | Skeleton | None = None,
    ) -> None:
        super().__init__()
        self.distance = PoseDistance(distance, skeleton)
        self.scale = scale

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
        error = energy_neg - self.scale * self.distance(y_neg, y_pos)
        return error.square().mean() + energy_pos.square().mean()
