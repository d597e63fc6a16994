"""Means over frames with intervals that know that frames of a clip are alike."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it cannot be told.

    Args:
        value: The figure.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> 'Estimate':
        """Return it in another unit; the factor is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def mean_over_clips(values: Tensor, clips: Tensor) -> Estimate:
    """Return the mean over frames; whole clips are drawn for the interval.

    Args:
        values: (N,), one per frame; frames with NaN do not count.
        clips: (N,) int64, from 0: the clip of each frame, whatever camera saw it.
    """
    counted = values.isfinite()
    values, clips = values[counted].double(), clips[counted]
    sums = clip_sums(torch.stack([values, torch.ones_like(values)], -1), clips)
    return bootstrap(sums, lambda s: s[..., 0] / s[..., 1])


def clip_sums(terms: Tensor, clips: Tensor) -> Tensor:
    """Add up the terms of the frames of each clip.

    Args:
        terms: (N, K).
        clips: (N,) int64, from 0.

    Returns:
        (G, K) float64, a row for each clip that has frames.
    """
    groups, index = clips.unique(return_inverse=True)
    sums = terms.new_zeros(len(groups), terms.shape[1], dtype=torch.float64)
    return sums.index_add_(0, index, terms.double())


def bootstrap(sums: Tensor, figure: Callable[[Tensor], Tensor]) -> Estimate:
    """Estimate a figure that is a function of sums over clips.

    The percentile bootstrap: clips are drawn with replacement, from a fixed seed. With
    a single clip there is no interval.

    Args:
        sums: (G, K), as :func:`clip_sums` returns them.
        figure: Turns sums (..., K) into figures (...).
    """
    if len(sums) == 0:
        return Estimate(torch.nan, torch.nan, torch.nan)
    value = figure(sums.sum(0)).item()
    if len(sums) == 1:
        return Estimate(value, torch.nan, torch.nan)
    generator = torch.Generator().manual_seed(0)
    shape = (RESAMPLES, len(sums))
    drawn = torch.randint(len(sums), shape, generator=generator)
    counts = torch.zeros(shape, dtype=torch.float64)
    counts.scatter_add_(1, drawn, torch.ones(shape, dtype=torch.float64))
    figures = figure(counts @ sums.cpu())
    ends = figures.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    return Estimate(value, *ends.tolist())
