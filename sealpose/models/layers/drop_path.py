"""Stochastic depth."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops a residual branch for whole samples in training, and scales up the rest.

    Source: G. Huang et al., Deep networks with stochastic depth, ECCV 2016.

    Args:
        drop_prob: Probability of the drop.
    """

    def __init__(self, drop_prob: float = 0.0) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Drop along the first axis of ``x`` (B, ...)."""
        if not self.training or self.drop_prob == 0:
            return x
        return x * self._scale(x)

    def add(self, x: Tensor, branch: Tensor) -> Tensor:
        """Add to ``x`` what is left of its residual branch, both (B, ...)."""
        if not self.training or self.drop_prob == 0:
            return x + branch
        return torch.addcmul(x, branch, self._scale(branch))

    def _scale(self, x: Tensor) -> Tensor:
        keep = 1 - self.drop_prob
        shape = (len(x),) + (1,) * (x.ndim - 1)
        return x.new_empty(shape).bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        """Show the probability when the module is printed."""
        return f'drop_prob={self.drop_prob}'


def drop_path_rates(last: float, depth: int) -> list[float]:
    """Drop probabilities of ``depth`` blocks, growing linearly from 0.

    Args:
        last: Probability in the last block.
        depth: Number of blocks.
    """
    return [last * i / max(depth - 1, 1) for i in range(depth)]
