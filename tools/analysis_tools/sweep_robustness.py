#!/usr/bin/env python
"""Error against severity: sweep_robustness.py CONFIG CHECKPOINT --setting noise.

Tests one checkpoint or several on their test data, made worse step by step. All see the
same disturbed keypoints. docs/robustness.md describes the settings.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.config import Config, DictAction
from tabulate import tabulate

from sealpose.apis import build_tester, config_name, evaluate, load_config
from sealpose.apis.cli import one_line_errors
from sealpose.datasets.transforms.severities import SETTINGS
from sealpose.evaluation.files import whole_file
from sealpose.evaluation.report import EvaluationReport, metric_title
from sealpose.registry import TRANSFORMS

MEASURES = ('MPJPE', 'P-MPJPE', 'LSE')
RUNS = count()
# What the checkpoints are called in the tables: their names are long.
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'


@dataclass(frozen=True)
class Trial:
    """One degree of one setting.

    Args:
        setting: Its name; None for the data as they are.
        severity: How bad.
    """

    setting: str | None = None
    severity: float = 0

    def __str__(self) -> str:
        return f'{self.setting} {self.severity:g}' if self.setting else 'clean'

    def transforms(self, fill: str, skeleton: str) -> list[dict]:
        """Return the configs of the transforms."""
        if self.setting is None:
            return []
        return [SETTINGS[self.setting].config(self.severity, fill, skeleton)]


@dataclass(frozen=True)
class Model:
    """A checkpoint with its config.

    Args:
        name: Name in the table.
        config: Path of its config.
        checkpoint: Path of the checkpoint.
    """

    name: str
    config: str
    checkpoint: str


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[1])
    add = parser.add_argument
    add('models', nargs='+', metavar='CONFIG CHECKPOINT', help='one pair or several')
    add('--setting', nargs='+', choices=[*SETTINGS], default=[*SETTINGS])
    add('--severities', nargs='+', type=float, help='of the one setting that is given')
    add(
        '--fill',
        choices=['mask', 'last'],
        default='mask',
        help='what stands for a joint that is missing or hidden: the centre of the '
        'image, or where it was last seen (default: mask)',
    )
    add('--measures', nargs='+', default=[*MEASURES], help='metrics to print')
    add('--out', metavar='FILE.json', help='write the figures here')
    add('--plot', metavar='FILE.png', help='draw the first measure here')
    add('--work-dir', default='work_dirs/sweep', help='folder for logs')
    add('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    if len(args.models) % 2:
        parser.error(f'expected pairs of CONFIG CHECKPOINT, got {args.models}')
    if len(args.models) > 2 * len(LETTERS):
        parser.error(f'expected at most {len(LETTERS)} checkpoints')
    if args.severities and len(args.setting) != 1:
        parser.error('--severities needs exactly one --setting')
    return args


def list_trials(args: argparse.Namespace) -> list[Trial]:
    """List what to test: the data as they are first, then each setting."""
    trials = [Trial()]
    for name in args.setting:
        for severity in args.severities or SETTINGS[name].severities:
            if severity != SETTINGS[name].clean:
                trials.append(Trial(name, severity))
    for trial in trials:
        for transform in trial.transforms(args.fill, 'h36m17'):
            TRANSFORMS.build(transform)  # refuses impossible severities
    return trials


def list_models(paths: Sequence[str]) -> list[Model]:
    """Pair configs and checkpoints; name them apart."""
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    names = [config_name(load_config(config)) for config, _ in pairs]
    return [
        Model(
            name if names.count(name) == 1 else f'{name}, {checkpoint}',
            config,
            checkpoint,
        )
        for name, (config, checkpoint) in zip(names, pairs, strict=True)
    ]


def prepare(model: Model, trial: Trial, args: argparse.Namespace) -> Config:
    """Return the config of one test."""
    cfg = load_config(model.config, args.work_dir, args.cfg_options)
    # mmengine tells runs apart by name and second.
    slug = f'{model.name} {trial}'.replace('/', '_').replace(' ', '_')
    cfg.experiment_name = f'{slug}_{next(RUNS)}'
    cfg.log_level = 'WARNING'
    if isinstance(cfg.test_evaluator, list):
        raise ValueError(f'{model.config}: expected one test_evaluator, a PoseMetric')
    cfg.test_evaluator.measures = args.measures
    dataset = cfg.test_dataloader.dataset
    dataset.transforms = [
        *dataset.get('transforms', []),
        *trial.transforms(args.fill, cfg.model.skeleton),
    ]
    return cfg


def run_all(
    models: Sequence[Model], trials: Sequence[Trial], args: argparse.Namespace
) -> dict[tuple[Trial, str], EvaluationReport]:
    """Test every checkpoint on every trial, telling of progress."""
    reports: dict[tuple[Trial, str], EvaluationReport] = {}
    for model in models:
        for trial in trials:
            with one_line_errors():
                runner = build_tester(prepare(model, trial, args), model.checkpoint)
            report = evaluate(runner).report
            reports[trial, model.name] = report
            first = args.measures[0]
            figure = f'{first} {report.action_mean[first]:.2f} {report.units[first]}'
            count = f'[{len(reports)}/{len(models) * len(trials)}]'
            print(f'{count} {model.name}, {trial}: {figure}', flush=True)
    return reports


def rows(name: str, trials: Iterable[Trial]) -> list[tuple[float, Trial]]:
    """Return severity and trial of a setting, the data as they are first."""
    return [
        (SETTINGS[name].clean if trial.setting is None else trial.severity, trial)
        for trial in trials
        if trial.setting in (None, name)
    ]


def table(
    name: str,
    models: Sequence[Model],
    trials: Sequence[Trial],
    reports: dict[tuple[Trial, str], EvaluationReport],
) -> str:
    """Draw one setting: a row per severity, a column per measure and checkpoint."""
    units = reports[trials[0], models[0].name].units
    header = [SETTINGS[name].axis.replace(', ', ',\n')]
    letters = LETTERS[: len(models)] if len(models) > 1 else ['']
    header += [f'{metric_title(m, u)}\n{x}' for m, u in units.items() for x in letters]
    lines = [
        [
            f'{severity:g}',
            *(reports[trial, x.name].action_mean[m] for m in units for x in models),
        ]
        for severity, trial in rows(name, trials)
    ]
    return tabulate(lines, header, floatfmt='.2f', disable_numparse=[0])


def to_json(
    models: Sequence[Model],
    reports: dict[tuple[Trial, str], EvaluationReport],
    fill: str,
) -> dict:
    """Collect the figures, means over the actions, with what they were made from."""
    first = next(iter(reports.values()))
    axes = {trial.setting for trial, _ in reports} - {None}
    return dict(
        dataset=first.dataset,
        protocol=first.protocol,
        frames=first.frames,
        units=first.units,
        axes={name: SETTINGS[name].axis for name in SETTINGS if name in axes},
        models=[vars(model) for model in models],
        results=[
            dict(
                model=name,
                setting=trial.setting or 'clean',
                severity=trial.severity,
                transforms=trial.transforms(fill, report.skeleton),
                figures=report.action_mean,
            )
            for (trial, name), report in reports.items()
        ],
    )


def plot(
    names: Sequence[str],
    models: Sequence[Model],
    trials: Sequence[Trial],
    reports: dict[tuple[Trial, str], EvaluationReport],
) -> Figure:
    """Draw the first measure against severity, a panel per setting."""
    measure, unit = next(iter(reports[trials[0], models[0].name].units.items()))
    figure = Figure(figsize=(2.6 * len(names) + 0.6, 3.2), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, name in zip(panels, names, strict=True):
        severities, shown = zip(*rows(name, trials), strict=True)
        for model in models:
            values = [
                reports[trial, model.name].action_mean[measure] for trial in shown
            ]
            axes.plot(values, 'o-', markersize=4, label=model.name)
        axes.set_xlabel(SETTINGS[name].axis.replace(', ', ',\n'))
        # Evenly: the steps grow, and small ones matter as much.
        axes.set_xticks(range(len(shown)), [f'{s:g}' for s in severities])
        axes.grid(color='#e4e4e4')
        axes.spines[['top', 'right']].set_visible(False)
    panels[0].set_ylim(0, 1.05 * panels[0].get_ylim()[1])
    panels[0].set_ylabel(metric_title(measure, unit))
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc='outside lower left', frameon=False, fontsize=8)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sweep; return its exit code."""
    args = parse_args(argv)
    with one_line_errors():
        trials, models = list_trials(args), list_models(args.models)
    reports = run_all(models, trials, args)
    if len(models) > 1:
        named = zip(LETTERS, models, strict=False)
        print('\n' + '\n'.join(f'{x}: {model.name}' for x, model in named))
    for name in args.setting:
        print(f'\n{table(name, models, trials, reports)}')
    if args.out:
        text = json.dumps(to_json(models, reports, args.fill), indent=2)
        with whole_file(args.out) as temporary:
            temporary.write_text(text + '\n', encoding='utf-8')
        print(f'figures: {args.out}')
    if args.plot:
        with whole_file(args.plot) as temporary:
            plot(args.setting, models, trials, reports).savefig(
                temporary, format='png', dpi=150
            )
        print(f'picture: {args.plot}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
