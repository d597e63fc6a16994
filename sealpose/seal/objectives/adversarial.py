"""The rival of ranking: a discriminator that tells predictions from truths."""

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import RANKING_OBJECTIVES


@RANKING_OBJECTIVES.register_module()
class AdversarialObjective(nn.Module):
    """Logistic loss of a discriminator whose logit for "predicted" is the energy.

    ``mean softplus(energy_pos) + mean softplus(-energy_neg)``: Goodfellow et al.,
    NeurIPS 2014. Each energy is judged by itself, not against that of the same frame,
    so the loss-net becomes the discriminator of a GAN and the pose-net, which
    minimises the logit, its generator.
    """

    def forward(
        self, energy_neg: Tensor, energy_pos: Tensor, y_neg: Tensor, y_pos: Tensor
    ) -> Tensor:
        """Return the scalar objective; the poses themselves do not enter.

        Args:
            energy_neg: Of the negatives, (..., B, T').
            energy_pos: Of the positive, (B, T').
            y_neg: The negatives.
            y_pos: The positive.
        """
        return F.softplus(energy_pos).mean() + F.softplus(-energy_neg).mean()
