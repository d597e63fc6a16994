"""Noise-contrastive estimation: which of these poses is the true one?"""

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import RANKING_OBJECTIVES


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
            y_neg: The negatives.
            y_pos: The truth.
        """
        logits = (energy_pos - energy_neg) / self.temperature
        if logits.dim() > energy_pos.dim():
            logits = logits.logsumexp(0)
        return F.softplus(logits).mean()
