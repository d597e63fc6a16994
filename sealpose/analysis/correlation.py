"""Spearman's rank correlation over frames, ties averaged."""

import torch
from torch import Tensor

from sealpose.analysis.intervals import Estimate, bootstrap, clip_sums, mean_over_clips

# With fewer frames the ranks within a sequence say nothing.
SHORTEST = 5


def average_ranks(values: Tensor) -> Tensor:
    """Return the rank of each value, from 1; equal values share their mean rank.

    Args:
        values: (N,), finite.

    Returns:
        (N,) float64.
    """
    _, index, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    return (last - (counts.double() - 1) / 2)[index]


def spearman(a: Tensor, b: Tensor) -> float:
    """Return the rank correlation of two series: Pearson's of their average ranks.

    Args:
        a: (N,), finite.
        b: (N,), finite.

    Returns:
        Between -1 and 1; NaN if one of them is constant.
    """
    return _pearson(_moments(average_ranks(a), average_ranks(b)).sum(0)).item()


def spearman_over_clips(a: Tensor, b: Tensor, clips: Tensor) -> Estimate:
    """Return the rank correlation over all frames, with its interval over clips.

    The ranks stay those among all frames while clips are drawn.

    Args:
        a: (N,); frames where either is not finite do not count.
        b: (N,).
        clips: (N,) int64: the clip of each frame.
    """
    counted = a.isfinite() & b.isfinite()
    moments = _moments(average_ranks(a[counted]), average_ranks(b[counted]))
    return bootstrap(clip_sums(moments, clips[counted]), _pearson)


def spearman_within(
    a: Tensor, b: Tensor, sequences: Tensor, clips: Tensor
) -> tuple[Estimate, int]:
    """Return the mean over the sequences of the rank correlation within each.

    Frames of a sequence show the same person, motion and camera; what is left is
    whether the figure tells its good frames from its bad ones.

    Args:
        a: (N,); frames where either is not finite do not count.
        b: (N,).
        sequences: (N,) int64: the sequence of each frame.
        clips: (N,) int64: the clip of each frame; several cameras see one clip.

    Returns:
        The mean, and how many sequences it is over: those of 5 frames or more in which
        neither series is constant.
    """
    counted = a.isfinite() & b.isfinite()
    a, b, sequences, clips = (v[counted] for v in (a, b, sequences, clips))
    found, owners = [], []
    for sequence in sequences.unique():
        inside = sequences == sequence
        if inside.sum() >= SHORTEST:
            found.append(spearman(a[inside], b[inside]))
            owners.append(clips[inside][0])
    values = torch.tensor(found, dtype=torch.float64)
    owners = torch.stack(owners).cpu() if owners else torch.empty(0, dtype=torch.int64)
    return mean_over_clips(values, owners), int(values.isfinite().sum())


def _moments(a: Tensor, b: Tensor) -> Tensor:
    # About the middle rank: the squares of ranks themselves would cost digits.
    a, b = (v - (len(v) + 1) / 2 for v in (a, b))
    return torch.stack([torch.ones_like(a), a, b, a * a, a * b, b * b], -1)


def _pearson(moments: Tensor) -> Tensor:
    n, a, b, aa, ab, bb = moments.unbind(-1)
    spread = (n * aa - a * a) * (n * bb - b * b)
    return torch.where(
        spread > 0, (n * ab - a * b) / spread.clamp_min(0).sqrt(), torch.nan
    )
