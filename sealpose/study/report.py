"""The report of a study: printed, and as Markdown, LaTeX and JSON."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sealpose.evaluation.files import whole_file
from sealpose.study.campaign import Failure
from sealpose.study.compare import Comparison
from sealpose.study.picture import draw_tradeoffs
from sealpose.study.tables import (
    Table,
    bootstrap_table,
    cost_table,
    group_tables,
    joint_table,
    main_table,
    relative_table,
    tuning_tables,
)


class Report:
    """Everything that a study has found.

    Args:
        comparison: The figures.
        tuning: The content of tuning.json.
        failures: Runs that went wrong.
        command: The command that makes the report again.
    """

    def __init__(
        self,
        comparison: Comparison,
        tuning: dict,
        failures: Sequence[Failure],
        command: str,
    ) -> None:
        self.comparison = comparison
        self.tuning = tuning
        self.failures = failures
        self.command = command

    @property
    def faults(self) -> list[str]:
        """What is wrong: failed runs, and arms that cannot be compared."""
        unfair = [
            f'{arm.name} is not compared: {arm.fault}'
            for arm in self.comparison.arms
            if arm.fault
        ]
        return [*map(str, self.failures), *unfair]

    def text(self) -> str:
        """Return what to print: the main tables and the remarks."""
        tables = [main_table(self.comparison), cost_table(self.comparison)]
        parts = [self._caption(), *(table.render('text') for table in tables)]
        return '\n\n'.join([*parts, *self._remarks()])

    def write(self, folder: Path) -> list[Path]:
        """Write report.md, report.tex, report.json and report.png.

        Args:
            folder: Where to.

        Returns:
            The files.
        """
        tables = self._tables()
        markdown = [
            f'# Study {self.comparison.study.name}',
            self._caption(),
            *(table.render('markdown') for table in tables),
            '### Arms',
            self._arms(),
            '### Remarks',
            *self._remarks(),
            '### How to rerun',
            f'```\n{self.command}\n```',
            '### Environment',
            *(_facts(e) for e in self.comparison.about['environments']),
        ]
        latex = [f'% {self._caption()}', *(table.render('latex') for table in tables)]
        data = dict(
            self.comparison.to_dict(),
            tuning=self.tuning,
            failures=[str(failure) for failure in self.failures],
            command=self.command,
        )
        texts = {
            'report.md': '\n\n'.join(markdown),
            'report.tex': '\n\n'.join(latex),
            'report.json': json.dumps(_plain(data), indent=1, ensure_ascii=False),
        }
        for name, text in texts.items():
            with whole_file(folder / name) as temporary:
                temporary.write_text(text + '\n', encoding='utf-8')
        written = [folder / name for name in texts]
        figure = draw_tradeoffs(self.comparison)
        if figure is not None:
            written.append(folder / 'report.png')
            with whole_file(written[-1]) as temporary:
                figure.savefig(temporary, format='png', dpi=150)
        return written

    def _tables(self) -> list[Table]:
        comparison = self.comparison
        tables = [
            main_table(comparison),
            bootstrap_table(comparison),
            relative_table(comparison),
            cost_table(comparison),
            *tuning_tables(self.tuning),
            *group_tables(comparison, 'subject'),
            *group_tables(comparison, 'action'),
            joint_table(comparison),
        ]
        return [table for table in tables if table.rows]

    def _caption(self) -> str:
        study, about = self.comparison.study, self.comparison.about
        if not about['frames']:
            return f'{study.name}: no run is done yet'
        return (
            f'{study.name}: {about["dataset"]}, split {study.split}, '
            f'{about["frames"]} frames of {len(about["subjects"])} subjects, means '
            f'{about["mean"]}; last weights of each run'
        )

    def _arms(self) -> str:
        study = self.comparison.study
        lines = [f'- all: {json.dumps(study.overrides, default=repr)}']
        for arm in study.arms.values():
            config = study.trained_as(arm).config or study.base
            parts = [f'`{config}`']
            if arm.weights_of:
                parts.append(f'weights of {arm.weights_of}')
            if arm.overrides:
                parts.append(json.dumps(arm.overrides, default=repr))
            tried = self.tuning.get(arm.name, {}).get('tried', [])
            parts += [f'tuned: {t["values"]}' for t in tried if t['chosen']]
            lines.append(f'- {arm.name}: {", ".join(parts)}')
        return '\n'.join(lines)

    def _remarks(self) -> list[str]:
        lines = []
        for arm in self.comparison.arms:
            if arm.missing:
                seeds = ', '.join(map(str, arm.missing))
                lines.append(f'- {arm.name}: NO RUN of the seeds {seeds}')
            lines += [f'- {arm.name}: {note}' for note in arm.notes]
        if len(self.comparison.about['environments']) > 1:
            lines.append(
                '- The runs were made with different code or on different machines; '
                'see the environments'
            )
        lines += [f'- FAULT: {fault}' for fault in self.faults]
        return ['\n'.join(lines)] if lines else []


def _facts(environment: dict) -> str:
    facts = (f'{key} {value}' for key, value in environment.items() if value != '')
    return f'- {"; ".join(facts)}'


def _plain(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
