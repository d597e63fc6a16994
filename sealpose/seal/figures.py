"""Means over iterations that stay on the device until somebody wants to read them."""

import torch
from torch import Tensor


class FigureMeans:
    """Averages named scalars without waiting for the device."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sum: Tensor | None = None
        self._count = 0

    def add(self, figures: dict[str, Tensor]) -> None:
        """Take in one iteration; the names are the same at each.

        Args:
            figures: Scalar tensors by name.
        """
        values = torch.stack(list(figures.values()))
        self._names = list(figures)
        self._sum = values if self._sum is None else self._sum + values
        self._count += 1

    def pop(self) -> dict[str, float]:
        """Return the means since the last call, one copy from the device in all."""
        if self._sum is None:
            return {}
        means = (self._sum / self._count).tolist()
        self._sum, self._count = None, 0
        return dict(zip(self._names, means, strict=True))
