#!/usr/bin/env python
"""What a training logged: plot_training.py WORK_DIR [WORK_DIR ...] --out picture.png.

Draws losses and the figures of SEAL over the iterations of one run or several, and
prints their means over the quarters of the training.
"""

import argparse
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from tabulate import tabulate

from sealpose.analysis.panels import GREY, add_legend, colours, make_panels, style
from sealpose.analysis.scalars import Series, match_names, read_run
from sealpose.apis.cli import one_line_errors
from sealpose.evaluation.files import whole_file

DEFAULT_KEYS = ('loss', 'loss_*', 'seal_*')
COLUMNS = 3
PARTS = 4
# Where a level means something: chance, no conflict, no gap.
LEVELS = {'seal_ranked_right': 0.5, 'seal_gradient_cosine': 0, 'seal_energy_gap': 0}

Runs = Mapping[str, Mapping[str, Series]]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[1])
    add = parser.add_argument
    add('runs', nargs='+', metavar='WORK_DIR', help='work folders of trainings')
    add('--out', metavar='FILE.png', help='write the picture here')
    add(
        '--keys',
        nargs='+',
        metavar='NAME',
        help='scalars to show; patterns such as "loss_*" are allowed (default: losses '
        'and the figures of SEAL)',
    )
    add(
        '--smooth',
        type=int,
        default=5,
        metavar='POINTS',
        help='mean over so many logged points (default: %(default)s; 1: none)',
    )
    args = parser.parse_args(argv)
    if args.smooth < 1 or args.smooth % 2 == 0:
        parser.error(f'--smooth {args.smooth}: expected an odd number of points')
    return args


def read_runs(folders: Sequence[str]) -> dict[str, dict[str, Series]]:
    """Read all runs, each named by what tells its folder from the others."""
    paths = [os.path.abspath(folder) for folder in folders]
    shared = os.path.commonpath(paths) if len(set(paths)) > 1 else Path(paths[0]).parent
    return {
        os.path.relpath(path, shared): read_run(folder)
        for path, folder in zip(paths, folders, strict=True)
    }


def choose_keys(runs: Runs, wanted: Sequence[str] | None) -> list[str]:
    """Choose what to show; of the default, what there is.

    Raises:
        ValueError: no run has a scalar that was asked for.
    """
    logged = [name for series in runs.values() for name in series]
    if wanted:
        return match_names(wanted, logged)
    patterns = [p for p in DEFAULT_KEYS if _any_fits(p, logged)]
    return match_names(patterns or DEFAULT_KEYS, logged)


def _any_fits(pattern: str, names: Sequence[str]) -> bool:
    try:
        return bool(match_names([pattern], names))
    except ValueError:
        return False


def table(runs: Runs, keys: Sequence[str]) -> str:
    """Draw the means over the quarters of each training, a row per scalar and run."""
    rows = []
    for key in keys:
        for name, series in runs.items():
            if key in series:
                end = max(s.iters[-1] for s in series.values())
                means = series[key].part_means(PARTS, end)
                rows.append([key, name, *means, series[key].values[-1]])
    quarters = [f'{number}. quarter' for number in range(1, PARTS + 1)]
    cells = [[*row[:2], *(_show(value) for value in row[2:])] for row in rows]
    header = ['', 'run', *quarters, 'last']
    return tabulate(
        cells,
        header,
        disable_numparse=True,
        colalign=['left', 'left', *['right'] * (PARTS + 1)],
    )


def _show(value: float) -> str:
    return f'{value:.4g}' if math.isfinite(value) else '-'


def plot(runs: Runs, keys: Sequence[str], points: int) -> Figure:
    """Draw a panel per scalar, a colour per run; what was logged lightly behind."""
    rows, columns = -(-len(keys) // COLUMNS), min(len(keys), COLUMNS)
    figure, panels = make_panels(rows, columns, 3.4, 2.3)
    panels = panels.flatten()
    entries = {}
    for axes, key in zip(panels, keys, strict=False):
        for colour, (name, series) in zip(colours(runs), runs.items(), strict=True):
            if key not in series:
                continue
            one = series[key]
            axes.plot(one.iters, one.values, color=colour, alpha=0.25, linewidth=0.8)
            (entries[name],) = axes.plot(one.iters, one.smoothed(points), color=colour)
        if key in LEVELS:
            axes.axhline(LEVELS[key], color=GREY, linewidth=0.8, linestyle=':')
        axes.set_title(key, fontsize=9)
        style(axes)
    for axes in panels[len(keys) :]:
        axes.set_axis_off()
    figure.supxlabel('iteration', fontsize=9)
    add_legend(figure, entries)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Read, print and draw; return the exit code."""
    args = parse_args(argv)
    with one_line_errors():
        runs = read_runs(args.runs)
        keys = choose_keys(runs, args.keys)
    print(table(runs, keys))
    for name, series in runs.items():
        lacking = [key for key in keys if key not in series]
        if lacking:
            print(f'{name} has not logged {", ".join(lacking)}')
    if args.out:
        with whole_file(args.out) as temporary:
            plot(runs, keys, args.smooth).savefig(temporary, format='png', dpi=150)
        print(f'picture: {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
