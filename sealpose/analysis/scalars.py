"""The scalars that a training logged, over its iterations."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

# What places a line, not a figure of its own.
PLACES = ('step', 'iter', 'epoch')


@dataclass(frozen=True)
class Series:
    """One scalar over training.

    Args:
        iters: (N,), growing: iterations done when it was logged.
        values: (N,).
    """

    iters: np.ndarray
    values: np.ndarray

    def smoothed(self, points: int) -> np.ndarray:
        """Return the means over so many logged points, centred on each.

        Towards the ends over fewer, still centred, so that nothing lags.

        Args:
            points: An odd number; 1 changes nothing.
        """
        last = len(self.values) - 1
        means = []
        for i in range(last + 1):
            half = min(points // 2, i, last - i)
            means.append(self.values[i - half : i + half + 1].mean())
        return np.array(means)

    def part_means(self, parts: int, end: int) -> list[float]:
        """Return the means over equal parts of a training; NaN for one without points.

        Args:
            parts: How many.
            end: Iterations of the training.
        """
        part = np.clip((self.iters - 1) * parts // end, 0, parts - 1)
        return [
            self.values[part == p].mean() if (part == p).any() else math.nan
            for p in range(parts)
        ]


def read_run(folder: str | Path) -> dict[str, Series]:
    """Read what mmengine logged in a work folder.

    A run that was resumed, or started again in the same folder, has logged several
    times: the later log counts from its first iteration on.

    Args:
        folder: The work folder, or a ``scalars.json`` itself.

    Returns:
        Name to series. Figures of the validation lie at the last training iteration
        that was logged before them.

    Raises:
        FileNotFoundError: nothing was logged there.
        ValueError: a log is damaged, or holds no scalars.
    """
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob(PATTERN))
    if not files:
        raise FileNotFoundError(
            f'{folder} has no {PATTERN}: expected the work folder of a training'
        )
    lines: list[tuple[int, dict]] = []
    for file in files:
        found = _read_lines(file)
        if found:
            lines = [line for line in lines if line[0] < found[0][0]] + found
    if not lines:
        raise ValueError(f'{folder}: no training iteration was logged yet')
    names = dict.fromkeys(name for _, line in lines for name in line)
    return {
        name: Series(
            *(
                np.array(column)
                for column in zip(
                    *((at, line[name]) for at, line in lines if name in line),
                    strict=True,
                )
            )
        )
        for name in names
        if name not in PLACES
    }


PATTERN = '*/vis_data/scalars.json'


def _read_lines(path: Path) -> list[tuple[int, dict]]:
    lines, at = [], 0
    text = path.read_text(encoding='utf-8').splitlines()
    for number, content in enumerate(text, 1):
        if not content.strip():
            continue
        try:
            line = json.loads(content)
            # Lines of the validation count epochs in `step`.
            at = int(line['iter']) if 'iter' in line else at
            scalars = {k: float(v) for k, v in line.items()}
        except (ValueError, TypeError, AttributeError) as error:
            if number == len(text):
                break  # A run that was killed may leave half a line.
            raise ValueError(
                f'{path}, line {number}: expected a JSON object of numbers, got '
                f'{content[:60]!r}: {error}'
            ) from None
        # A validation before any training has no place on the axis.
        if at:
            lines.append((at, scalars))
    return lines


def match_names(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """List the names that fit patterns, in the order of the patterns.

    Args:
        patterns: Names, or patterns such as ``loss_*``.
        names: What there is.

    Raises:
        ValueError: a pattern fits none of them.
    """
    names = list(dict.fromkeys(names))
    chosen: dict[str, None] = {}
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            raise ValueError(
                f'no run has logged {pattern!r}; there are {", ".join(sorted(names))}'
            )
        chosen.update(dict.fromkeys(fitting))
    return list(chosen)
