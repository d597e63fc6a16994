"""The figures of one model on one data set, as a file and as a table."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from tabulate import tabulate

from sealpose.evaluation.files import whole_file

Figures = dict[str, float]


@dataclass(frozen=True)
class EvaluationReport:
    """The figures of one model on one data set; what tools/test.py --out writes.

    Args:
        name: Name of the model: of its config.
        dataset: Name of the data set.
        protocol: How predictions were treated and averaged.
        skeleton: Name of the skeleton.
        frames: Frames evaluated.
        units: Metric to the unit of its figures.
        per_action: Action to metric to the mean over the frames of the action.
        frames_per_action: Action to its frames.
        action_mean: Metric to the unweighted mean over the actions, the headline.
        frame_mean: Metric to the mean over all frames.
        higher_is_better: The metrics of which a larger value is the better one.
        headline: Which of the two means the protocol of the data set reports.
    """

    name: str
    dataset: str
    protocol: str
    skeleton: str
    frames: int
    units: dict[str, str]
    per_action: dict[str, Figures]
    frames_per_action: dict[str, int]
    action_mean: Figures
    frame_mean: Figures
    higher_is_better: list[str] = field(default_factory=list)
    headline: str = 'action_mean'

    def to_json(self, path: str | Path) -> None:
        """Write the file; a figure that is not finite becomes null.

        Args:
            path: Where to; an existing file is replaced once the new one is complete.
        """
        text = json.dumps(_finite_or_null(asdict(self)), indent=2, ensure_ascii=False)
        with whole_file(path) as temporary:
            temporary.write_text(text + '\n', encoding='utf-8')

    @classmethod
    def from_json(cls, path: str | Path) -> 'EvaluationReport':
        """Read a file of :meth:`to_json`; null becomes NaN.

        Args:
            path: The file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no such file; the message names the file and the key.
        """
        try:
            data = json.loads(Path(path).read_text(encoding='utf-8'))
        except ValueError as error:
            raise ValueError(f'{path} is not a JSON file: {error}') from None
        if not isinstance(data, dict):
            raise ValueError(f'{path} is not a results file of tools/test.py --out')
        # Files of earlier versions know only metrics of which lower is better.
        data.setdefault('higher_is_better', [])
        data.setdefault('headline', 'action_mean')
        for name, hint in get_type_hints(cls).items():
            _check_entry(path, data, name, get_origin(hint) or hint)
        if data['per_action'].keys() != data['frames_per_action'].keys():
            raise ValueError(
                f"{path}, keys 'per_action' and 'frames_per_action': expected the same "
                'actions in both'
            )
        for key, figures in _figure_tables(data):
            _check_figures(path, key, figures, data['units'])
        return cls(**{entry.name: data[entry.name] for entry in fields(cls)})

    def table(self) -> str:
        """Return the figures as text: a row per action, then the two means."""
        rows = [
            [action, self.frames_per_action[action], *self._row(figures)]
            for action, figures in self.per_action.items()
        ]
        rows.append(['mean over actions', self.frames, *self._row(self.action_mean)])
        rows.append(['mean over frames', self.frames, *self._row(self.frame_mean)])
        header = [
            '',
            'frames',
            *(metric_title(m, u, '\n') for m, u in self.units.items()),
        ]
        title = ' '.join(filter(None, [self.name, 'on', self.dataset]))
        table = tabulate(rows, header, floatfmt='.2f', disable_numparse=[0])
        return f'{title} ({self.skeleton}; {self.protocol})\n{table}'

    def _row(self, figures: Figures) -> list[float]:
        return [figures[metric] for metric in self.units]


def metric_title(metric: str, unit: str, separator: str = ' ') -> str:
    """Join name and unit: ``LSE %`` and, for ``LSE-mm``, ``LSE mm``."""
    return metric.removesuffix(f'-{unit}') + separator + unit


def _finite_or_null(value: Any) -> Any:
    # JSON knows no NaN.
    if isinstance(value, dict):
        return {key: _finite_or_null(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_entry(path: str | Path, data: dict, key: str, expected: type) -> None:
    if key not in data:
        raise ValueError(
            f'{path} is not a results file of tools/test.py --out: it has no key '
            f'{key!r}'
        )
    if not isinstance(data[key], expected):
        raise ValueError(
            f'{path}, key {key!r}: expected {expected.__name__}, got {data[key]!r}'
        )


def _figure_tables(data: dict) -> list[tuple[str, Any]]:
    per_action = data['per_action'].items()
    return [
        ('action_mean', data['action_mean']),
        ('frame_mean', data['frame_mean']),
        *((f'per_action: {action}', figures) for action, figures in per_action),
    ]


def _check_figures(path: str | Path, key: str, figures: Any, units: dict) -> None:
    """Check a table of figures, and turn its nulls back into NaN."""
    if not isinstance(figures, dict) or figures.keys() != units.keys():
        raise ValueError(
            f'{path}, key {key!r}: expected a figure for each of {", ".join(units)}, '
            f'got {figures!r}'
        )
    for metric, value in figures.items():
        if value is None:
            figures[metric] = math.nan
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(
                f'{path}, key {key!r}, {metric}: expected a number, got {value!r}'
            )
