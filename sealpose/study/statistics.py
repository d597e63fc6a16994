"""Paired comparisons over seeds and test subjects, with 95 % intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Paired:
    """Mean difference of two arms over the seeds that both have.

    Attributes:
        mean: Mean of arm minus baseline.
        half: Half width of the 95 % paired-t interval; NaN for fewer than 2 seeds.
        relative: The mean difference in percent of the mean of the baseline.
        seeds: Number of pairs.
    """

    mean: float
    half: float
    relative: float
    seeds: int

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half


def paired_difference(arm: Sequence[float], baseline: Sequence[float]) -> Paired:
    """Compare two arms seed by seed.

    ``mean ± t(0.975, n - 1) · sd / sqrt(n)`` of the differences.

    Args:
        arm: (S,) figures, a seed each.
        baseline: (S,) figures of the same seeds.

    Raises:
        ValueError: the lengths differ, or there is no seed.
    """
    if len(arm) != len(baseline) or len(arm) == 0:
        raise ValueError(
            f'expected figures of the same seeds, at least one, got {len(arm)} of the '
            f'arm and {len(baseline)} of the baseline'
        )
    reference = float(np.mean(baseline))
    differences = np.asarray(arm, float) - np.asarray(baseline, float)
    mean, count = float(differences.mean()), len(differences)
    half = math.nan
    if count > 1:
        half = t_quantile(count - 1) * float(differences.std(ddof=1)) / count**0.5
    relative = 100 * mean / reference if reference else math.nan
    return Paired(mean, half, relative, count)


def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return t such that a Student variable lies in [-t, t] with a probability.

    Args:
        freedom: Degrees of freedom, at least 1.
        confidence: The probability.
    """
    if freedom < 1 or not 0 < confidence < 1:
        raise ValueError(
            'expected at least 1 degree of freedom and a confidence between 0 and 1, '
            f'got {freedom} and {confidence}'
        )
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@cache
def _within(t: float, freedom: int) -> float:
    """Probability that a Student variable lies in [-t, t].

    The finite series of Abramowitz and Stegun, Handbook of Mathematical Functions,
    26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total


@dataclass(frozen=True)
class Cells:
    """A measure of one run, added up over the frames of each subject and action.

    Attributes:
        sums: (P, A) sums of the measure.
        counts: (P, A) numbers of values.
    """

    sums: np.ndarray
    counts: np.ndarray

    def headline(self, by_action: bool) -> float:
        """Mean over the actions, each counting the same, or over all values."""
        return float(_headline(self.sums.sum(0), self.counts.sum(0), by_action))


def bootstrap_subjects(
    arm: Sequence[Cells], baseline: Sequence[Cells], by_action: bool
) -> tuple[float, float]:
    """Return a 95 % interval of the difference that covers subjects and seeds.

    The percentile bootstrap with two levels: test subjects are drawn with replacement,
    then seeds; arm and baseline always see the same draw. The interval is about a new
    person and a new seed, and thus wider than that over seeds alone. With fewer than
    some ten subjects it is too narrow, and with one it cannot be had.

    Args:
        arm: A run each, of the seeds of the pairs.
        baseline: The runs of the same seeds.
        by_action: Whether the figure is the mean over actions.

    Returns:
        Lower and upper end; NaN if there are fewer than two subjects.
    """
    subjects = len(arm[0].sums)
    if subjects < 2:
        return math.nan, math.nan
    random = np.random.default_rng(0)
    weights = random.multinomial(subjects, [1 / subjects] * subjects, RESAMPLES)
    seeds = random.integers(len(arm), size=(RESAMPLES, len(arm)))
    differences = np.stack(
        [
            _headline(weights @ a.sums, weights @ a.counts, by_action)
            - _headline(weights @ b.sums, weights @ b.counts, by_action)
            for a, b in zip(arm, baseline, strict=True)
        ],
        axis=1,
    )
    drawn = np.take_along_axis(differences, seeds, axis=1).mean(1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn[np.isfinite(drawn)], [tail, 100 - tail])
    return float(low), float(high)


def _headline(sums: np.ndarray, counts: np.ndarray, by_action: bool) -> np.ndarray:
    """Means (...) of sums and counts (..., A)."""
    if not by_action:
        return _ratio(sums.sum(-1), counts.sum(-1))
    # A draw of subjects may lack an action: it does not count then.
    present = counts > 0
    means = np.where(present, _ratio(sums, counts), 0.0)
    return _ratio(means.sum(-1), present.sum(-1))


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.asarray(a) / np.asarray(b)
