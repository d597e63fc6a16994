"""Ranking objectives: what makes the loss-net score truth below negatives."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import RANKING_OBJECTIVES

# Distance of each frame, (..., J, 3) and (..., J, 3) -> (...).
DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'mpjpe': lambda a, b: torch.linalg.vector_norm(a - b, dim=-1).mean(-1),
    'mse': lambda a, b: (a - b).square().mean((-2, -1)),
    'l1': lambda a, b: (a - b).abs().mean((-2, -1)),
}


@RANKING_OBJECTIVES.register_module()
class MarginObjective(nn.Module):
    """The truth must lie below the negative by a margin that grows with its error.

    ``mean relu(scale * distance(y_neg, y_pos) - energy_neg + energy_pos)``. A negative
    ``scale`` means pure ranking as in the published code: no margin and no hinge,
    ``mean(energy_pos - energy_neg)``, which has no lower bound.

    Args:
        distance: ``mpjpe``, ``mse`` or ``l1`` of a frame, from metres.
        scale: Energy per unit of distance.
        per_frame: Each frame has its own margin. False gives all frames the mean
            distance of the batch, as some published runs did.
    """

    def __init__(
        self, distance: str = 'mpjpe', scale: float = 1.0, per_frame: bool = True
    ) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(
                f'distance must be one of {", ".join(DISTANCES)}, but got {distance!r}'
            )
        self.distance = distance
        self.scale = scale
        self.per_frame = per_frame

    def forward(
        self, energy_neg: Tensor, energy_pos: Tensor, y_neg: Tensor, y_pos: Tensor
    ) -> Tensor:
        """Return the scalar objective.

        Args:
            energy_neg: Of the negative, (B, T').
            energy_pos: Of the truth, (B, T').
            y_neg: The negative, (B, T', J, 3), metres.
            y_pos: The truth, (B, T', J, 3), metres.
        """
        if self.scale < 0:
            return (energy_pos - energy_neg).mean()
        distance = DISTANCES[self.distance](y_neg, y_pos)
        if not self.per_frame:
            distance = distance.mean()
        return F.relu(self.scale * distance - energy_neg + energy_pos).mean()


@RANKING_OBJECTIVES.register_module()
class NCEObjective(nn.Module):
    """Cross entropy of picking the truth among truth and negatives.

    ``-log softmax(-energy / temperature)`` at the truth. It stays finite for energies
    of any size.

    Args:
        temperature: Energy difference that counts as one nat.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f'temperature must be positive, but got {temperature}')
        self.temperature = temperature

    def forward(
        self, energy_neg: Tensor, energy_pos: Tensor, y_neg: Tensor, y_pos: Tensor
    ) -> Tensor:
        """Return the scalar objective; the poses themselves do not enter.

        Args:
            energy_neg: Of the negative, (B, T'), or of K negatives, (K, B, T').
            energy_pos: Of the truth, (B, T').
            y_neg: The negative.
            y_pos: The truth.
        """
        logits = (energy_pos - energy_neg) / self.temperature
        if logits.dim() > energy_pos.dim():
            logits = logits.logsumexp(0)
        return F.softplus(logits).mean()
