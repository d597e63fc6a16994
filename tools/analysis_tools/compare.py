#!/usr/bin/env python
"""Compare results files of tools/test.py: compare.py A.json B.json ...

One row per file, one column per metric; an arrow says which side is better. In
parentheses the difference to the first file. In Markdown and LaTeX the best is bold.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from sealpose.evaluation.report import EvaluationReport, metric_title

# Only results that agree in all of these can be compared.
SAME = ('dataset', 'skeleton', 'protocol', 'frames', 'frames_per_action')
LATEX = str.maketrans({c: f'\\{c}' for c in '_%&#$'})
RULES = (r'\toprule', r'\midrule', r'\bottomrule')


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        title: What it shows, with its unit.
        values: One per file, NaN where a file lacks it.
        higher_is_better: Whether the largest value is the best one.
    """

    title: str
    values: Sequence[float]
    higher_is_better: bool = False


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Compare results files of tools/test.py --out.'
    )
    parser.add_argument('files', nargs='+', metavar='FILE.json')
    parser.add_argument(
        '--format', choices=['text', 'markdown', 'latex'], default='text'
    )
    parser.add_argument(
        '--per-action', metavar='METRIC', help='show this metric for each action'
    )
    parser.add_argument(
        '--mean',
        choices=['action', 'frame'],
        help='average over actions, each counting the same, or over all frames '
        '(default: what the protocol of the data set reports)',
    )
    return parser.parse_args(argv)


def check_comparable(files: Sequence[str], reports: Sequence[EvaluationReport]) -> None:
    """Refuse results that were not measured on the same frames.

    Raises:
        ValueError: two of them differ; the message says in what.
    """
    for file, report in zip(files, reports, strict=True):
        for key in SAME:
            first, other = getattr(reports[0], key), getattr(report, key)
            if first != other:
                raise ValueError(
                    f'{files[0]} and {file} cannot be compared: {key} is {first!r} in '
                    f'the first and {other!r} in the second'
                )


def row_names(files: Sequence[str], reports: Sequence[EvaluationReport]) -> list[str]:
    """Name the rows: by the report's name where that tells them apart."""
    names = [report.name for report in reports]
    if len(set(names)) == len(names):
        return names
    stems = [Path(file).stem for file in files]
    own = stems if len(set(stems)) == len(stems) else files
    return [f'{name} ({at})' for name, at in zip(names, own, strict=True)]


def metric_columns(reports: Sequence[EvaluationReport], mean: str) -> list[Column]:
    """Return a column per metric that any report has."""
    units = {m: unit for report in reports for m, unit in report.units.items()}
    return [
        Column(
            metric_title(metric, unit),
            [_mean(report, mean, metric) for report in reports],
            higher_is_better(reports, metric),
        )
        for metric, unit in units.items()
    ]


def action_columns(
    files: Sequence[str], reports: Sequence[EvaluationReport], mean: str, metric: str
) -> list[Column]:
    """Return a column per action, and one for the mean, of one metric.

    Raises:
        ValueError: a report lacks the metric.
    """
    for file, report in zip(files, reports, strict=True):
        if metric not in report.units:
            raise ValueError(
                f'--per-action {metric}: {file} has no such metric; it has '
                f'{", ".join(report.units)}'
            )
    up = higher_is_better(reports, metric)
    columns = [
        Column(action, [report.per_action[action][metric] for report in reports], up)
        for action in reports[0].per_action
    ]
    means = [_mean(report, mean, metric) for report in reports]
    return [*columns, Column('mean', means, up)]


def higher_is_better(reports: Sequence[EvaluationReport], metric: str) -> bool:
    """Whether a larger value of the metric is the better one."""
    return any(metric in report.higher_is_better for report in reports)


def _mean(report: EvaluationReport, mean: str, metric: str) -> float:
    return getattr(report, f'{mean}_mean').get(metric, math.nan)


def format_cells(column: Column, style: str) -> list[str]:
    """Write the values of a column with their differences to the first."""
    finite = [f'{value:.2f}' for value in column.values if math.isfinite(value)]
    best = (max if column.higher_is_better else min)(finite, key=float, default=None)
    cells = []
    for i, value in enumerate(column.values):
        if not math.isfinite(value):
            cells.append('-')
            continue
        cell = f'{value:.2f}'
        if cell == best and len(finite) > 1:
            cell = {'markdown': f'**{cell}**', 'latex': rf'\textbf{{{cell}}}'}.get(
                style, cell
            )
        # Of what is printed, so that the reader's own subtraction agrees.
        difference = round(value, 2) - round(column.values[0], 2)
        if i and math.isfinite(difference):
            cell += f' ({difference:+.2f})'
        cells.append(cell)
    return cells


def render(names: Sequence[str], columns: Sequence[Column], style: str) -> str:
    """Draw the table in one of the three formats."""
    arrows = (r'$\downarrow$', r'$\uparrow$') if style == 'latex' else ('↓', '↑')
    heads = [column.title for column in columns]
    if style == 'latex':
        heads = [head.translate(LATEX) for head in heads]
        names = [name.translate(LATEX) for name in names]
    cells = zip(*(format_cells(column, style) for column in columns), strict=True)
    table = tabulate(
        [[name, *row] for name, row in zip(names, cells, strict=True)],
        [
            '',
            *(
                f'{head} {arrows[column.higher_is_better]}'
                for head, column in zip(heads, columns, strict=True)
            ),
        ],
        tablefmt={'text': 'simple', 'markdown': 'github', 'latex': 'latex_raw'}[style],
        disable_numparse=True,
        colalign=['left', *['right'] * len(columns)],
    )
    if style == 'latex':
        for rule in RULES:
            table = table.replace(r'\hline', rule, 1)
    return table


def caption(report: EvaluationReport, args: argparse.Namespace) -> str:
    """Say what the table shows."""
    metric = args.per_action
    what = f'{metric} in {report.units[metric]}: ' if metric else ''
    return (
        f'{what}{report.dataset} ({report.skeleton}), {report.frames} frames, mean '
        f'over {args.mean}s; {report.protocol}'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the comparison; return 0, or 2 if the files cannot be compared."""
    args = parse_args(argv)
    try:
        reports = [EvaluationReport.from_json(file) for file in args.files]
        check_comparable(args.files, reports)
        args.mean = args.mean or reports[0].headline.removesuffix('_mean')
        if args.per_action:
            columns = action_columns(args.files, reports, args.mean, args.per_action)
        else:
            columns = metric_columns(reports, args.mean)
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    comment = '% ' if args.format == 'latex' else ''
    print(comment + caption(reports[0], args) + '\n')
    print(render(row_names(args.files, reports), columns, args.format))
    return 0


if __name__ == '__main__':
    sys.exit(main())
