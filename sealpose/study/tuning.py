"""Choosing values on the validation split, and the record of what was tried."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealpose.registry import FRAME_METRICS
from sealpose.study.spec import Tuning


@dataclass(frozen=True)
class Candidate:
    """Values that were tried.

    Attributes:
        values: Dotted path to value.
        figures: Measure to the figures on the validation split, a tuning seed each;
            empty if a run failed.
    """

    values: Mapping[str, Any]
    figures: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def mean(self, measure: str) -> float:
        """Mean over the tuning seeds; NaN if a run failed."""
        found = self.figures.get(measure, ())
        return sum(found) / len(found) if found else math.nan


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        candidate: The chosen one.
        remark: What a reader must know about the choice.
    """

    candidate: Candidate
    remark: str = ''


def choose(
    candidates: Sequence[Candidate], tuning: Tuning, baseline: Candidate | None = None
) -> Choice:
    """Take the best candidate among those that are allowed.

    Args:
        candidates: What was tried.
        tuning: The measure to be best in, and what may be given up for it.
        baseline: The baseline, trained with the same seeds; what ``tuning.allow`` is
            relative to. None ignores ``allow``.

    Raises:
        ValueError: no candidate has figures.
    """
    sound = [c for c in candidates if math.isfinite(c.mean(tuning.measure))]
    if not sound:
        raise ValueError('every candidate failed in tuning')
    excess = [_excess(c, tuning, baseline) for c in sound]
    allowed = [c for c, e in zip(sound, excess, strict=True) if e <= 0]
    remark = ''
    if not allowed:
        least = min(excess)
        allowed = [c for c, e in zip(sound, excess, strict=True) if e == least]
        remark = (
            'no candidate is within what is allowed; the one that is least beyond it '
            f'(by {least:.2f}) was taken'
        )
    best = min(allowed, key=lambda c: _loss(tuning.measure, c.mean(tuning.measure)))
    return Choice(best, remark)


def _excess(candidate: Candidate, tuning: Tuning, baseline: Candidate | None) -> float:
    """How far a candidate is beyond what is allowed; at most 0 if it is not."""
    if baseline is None or not tuning.allow:
        return 0.0
    return max(
        _loss(measure, candidate.mean(measure) - baseline.mean(measure)) - margin
        for measure, margin in tuning.allow.items()
    )


def _loss(measure: str, value: float) -> float:
    return -value if FRAME_METRICS.get(measure).higher_is_better else value


def record(
    candidates: Sequence[Candidate], tuning: Tuning, choice: Choice | None
) -> dict:
    """Return everything that was tried, as plain values.

    Args:
        candidates: What was tried.
        tuning: How it was judged.
        choice: What was chosen; None if nothing could be.
    """
    tried = []
    for candidate in candidates:
        means = {m: candidate.mean(m) for m in candidate.figures}
        tried.append(
            dict(
                values=dict(candidate.values),
                mean=means,
                per_seed={m: list(v) for m, v in candidate.figures.items()},
                failed=not candidate.figures,
                chosen=choice is not None and choice.candidate is candidate,
            )
        )
    return dict(
        seeds=list(tuning.seeds),
        split=tuning.split,
        measure=tuning.measure,
        allow=dict(tuning.allow),
        tried=tried,
        remark=choice.remark if choice else '',
    )
