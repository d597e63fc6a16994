"""Figures of the loss-net, which stay on the device until somebody reads them."""

import torch
from torch import Tensor


class FigureMeans:
    """Averages named scalars without waiting for the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, figures: dict[str, Tensor]) -> None:
        """Take in one iteration; a figure may be missing in some.

        Args:
            figures: Scalar tensors by name.
        """
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def pop(self) -> dict[str, float]:
        """Return the means since the last call, one copy from the device in all."""
        if not self._sums:
            return {}
        sums = torch.stack([value.float() for value in self._sums.values()]).tolist()
        counts = self._counts.values()
        means = [total / count for total, count in zip(sums, counts, strict=True)]
        named = dict(zip(self._sums, means, strict=True))
        self._sums, self._counts = {}, {}
        return named


def ranking_figures(pred: Tensor, true: Tensor) -> dict[str, Tensor]:
    """How the energies of predictions lie to those of the truths.

    Args:
        pred: Energies of the predictions (B, T').
        true: Energies of the truths (B, T').
    """
    energy_pred, energy_true = pred.mean(), true.mean()
    return {
        'energy_pred': energy_pred,
        'energy_true': energy_true,
        'energy_gap': energy_pred - energy_true,
        'ranked_right': (pred > true).to(pred.dtype).mean(),
    }
