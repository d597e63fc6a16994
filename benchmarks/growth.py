"""Whether what was measured in a long run grows, by how much, and how surely."""

from dataclasses import dataclass

import numpy as np

from sealpose.study.statistics import t_quantile

# Samples that follow each other are alike; means over so many spans are less so.
SPANS = 20


@dataclass(frozen=True)
class Limit:
    """How much a quantity may grow.

    Args:
        name: Of the quantity, with its unit.
        share: From the first to the last quarter, as a share of the former.
        an_hour: In an hour, where the slope differs from 0 beyond chance.
    """

    name: str
    share: float | None = None
    an_hour: float | None = None


def row(limit: Limit, hours: np.ndarray, values: np.ndarray) -> dict:
    """Return a row of the table, of (N,) values measured at (N,) hours."""
    first, *_, last = (np.nanmean(q) for q in np.array_split(values, 4))
    slope, half = slope_with_interval(hours, values)
    grows = False
    if limit.share is not None:
        grows = last > first * (1 + limit.share)
    if limit.an_hour is not None:
        grows |= slope > limit.an_hour and slope > half
    allowed = '' if limit.share is None else f'+{limit.share:.0%}'
    if limit.an_hour is not None:
        allowed = f'+{limit.an_hour:g} an hour'
    return {
        'quantity': limit.name,
        'first quarter': first,
        'last quarter': last,
        'change %': 100 * (last / first - 1),
        'an hour': slope,
        '± (95 %)': half,
        'limit': allowed,
        'verdict': ('grows' if grows else 'holds')
        if allowed and not np.isnan(last)
        else '',
    }


def slope_with_interval(hours: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return the slope by least squares and half its 95 % interval, both per hour.

    Of the means over SPANS spans of time.
    """
    t, y = (
        np.array([part.mean() for part in np.array_split(a, SPANS)])
        for a in (hours, values)
    )
    t = t - t.mean()
    slope = (t @ y) / (t @ t)
    left = y - y.mean() - slope * t
    error = np.sqrt((left @ left) / (SPANS - 2) / (t @ t))
    return float(slope), float(t_quantile(SPANS - 2) * error)
