"""The figures of a run: from its frames to means."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np
import torch

from sealpose.registry import FRAME_METRICS
from sealpose.study.run import SEQUENCE_TEXTS
from sealpose.study.statistics import Cells


@dataclass(frozen=True)
class Measure:
    """A column of the tables.

    Attributes:
        name: Its name.
        unit: Unit of its values.
        higher_is_better: Whether a larger value is the better one.
    """

    name: str
    unit: str
    higher_is_better: bool


def list_measures(names: Sequence[str]) -> list[Measure]:
    """Return the columns for names from FRAME_METRICS."""
    metrics = {name: FRAME_METRICS.get(name) for name in names}
    return [Measure(n, m.unit, m.higher_is_better) for n, m in metrics.items()]


class RunFigures:
    """What a finished run has measured.

    Args:
        folder: The folder of the run.

    Attributes:
        result: The entries of result.json.
        subjects: The subjects, sorted.
        actions: The actions, sorted.
    """

    def __init__(self, folder: Path) -> None:
        text = (folder / 'result.json').read_text(encoding='utf-8')
        self.result: dict = json.loads(text)
        with np.load(folder / 'frames.npz', allow_pickle=False) as archive:
            self._arrays = dict(archive)
        self.subjects, self._subject = _number(self._arrays['subject'])
        self.actions, self._action = _number(self._arrays['action'])

    @property
    def by_action(self) -> bool:
        """Whether the data set reports means over actions."""
        return self.result['headline'] == 'action_mean'

    @cached_property
    def frames_seen(self) -> tuple:
        """What two runs must share so that their figures may be compared."""
        texts = (tuple(self._arrays[key].tolist()) for key in SEQUENCE_TEXTS)
        return (*texts, tuple(self._arrays['frames'].tolist()))

    def headline(self, measure: str) -> float:
        """Return the figure that the data set reports, of a measure."""
        values, _, actions = self._frames(measure)
        return self._figure(measure, values, actions)

    def per_action(self, measure: str) -> dict[str, float]:
        """Return the figure of every action."""
        values, _, actions = self._frames(measure)
        return {
            name: _average(measure, values[actions == number])
            for number, name in enumerate(self.actions)
        }

    def per_subject(self, measure: str) -> dict[str, float]:
        """Return the figure that the data set reports, of every subject alone."""
        values, subjects, actions = self._frames(measure)
        return {
            name: self._figure(
                measure, values[subjects == number], actions[subjects == number]
            )
            for number, name in enumerate(self.subjects)
        }

    def per_joint(self) -> dict[str, float]:
        """Return the mean error of every joint over all frames, mm."""
        errors = self._arrays['joints'].astype(np.float64)
        means = np.average(errors, axis=0, weights=self._arrays['frames'])
        return dict(zip(self.result['joints'], means.tolist(), strict=True))

    def cells(self, measure: str) -> Cells | None:
        """Return a measure added up by subject and action.

        None if its figure is no mean of its values.
        """
        if FRAME_METRICS.get(measure).average is not torch.mean:
            return None
        values, subjects, actions = self._frames(measure)
        shape = len(self.subjects), len(self.actions)
        cell = np.ravel_multi_index((subjects, actions), shape)
        size = shape[0] * shape[1]
        return Cells(
            np.bincount(cell, values, size).reshape(shape),
            np.bincount(cell, minlength=size).reshape(shape),
        )

    def _frames(self, measure: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values of a measure, and number of subject and action of each, all (N,)."""
        lengths = self._arrays[f'lengths/{measure}']
        return (
            self._arrays[f'values/{measure}'].astype(np.float64),
            np.repeat(self._subject, lengths),
            np.repeat(self._action, lengths),
        )

    def _figure(self, measure: str, values: np.ndarray, actions: np.ndarray) -> float:
        if not self.by_action:
            return _average(measure, values)
        present = np.unique(actions)
        if len(present) == 0:
            return float('nan')
        return fmean(_average(measure, values[actions == a]) for a in present)


def _number(names: np.ndarray) -> tuple[list[str], np.ndarray]:
    unique, numbers = np.unique(names, return_inverse=True)
    return unique.tolist(), numbers


def _average(measure: str, values: np.ndarray) -> float:
    if len(values) == 0:
        return float('nan')
    return FRAME_METRICS.get(measure).average(torch.from_numpy(values)).item()
