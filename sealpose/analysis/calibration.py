"""Whether a higher energy means a larger error."""

import torch
from torch import Tensor


def equal_bins(values: Tensor, count: int = 10) -> Tensor:
    """Sort frames into bins of equal size by a figure.

    Args:
        values: (N,).
        count: Number of bins; fewer if there are fewer frames.

    Returns:
        (N,) int64: the bin of each frame, 0 for the smallest values.
    """
    order = values.argsort(stable=True)
    bins = torch.empty_like(order)
    place = torch.arange(len(values), device=values.device)
    count = min(count, len(values))
    bins[order] = place * count // len(values)
    return bins
