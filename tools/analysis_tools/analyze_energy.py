#!/usr/bin/env python
"""What a trained energy knows: analyze_energy.py CONFIG CHECKPOINT --out FOLDER.

Energy against error over the frames of a split, ranking of predictions and of known
faults against the truth, where the gradient leads, which joints it blames; also on the
predictions of other pose-nets. docs/analysis.md explains every table.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.device import get_device

from sealpose.analysis.energy_field import EnergyField
from sealpose.analysis.judge import Figures, Judge
from sealpose.analysis.load import Energy, load_energy, predict
from sealpose.analysis.pictures import pictures
from sealpose.analysis.poses import PoseSet, thin
from sealpose.analysis.report import markdown, plain
from sealpose.apis import config_name, load_config
from sealpose.apis.cli import one_line_errors
from sealpose.evaluation.files import whole_file
from sealpose.evaluation.predictions import load_predictions

MM_PER_METRE = 1000.0


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[1])
    add = parser.add_argument
    add('config', help='config of the pose-net and of the data')
    add('checkpoint', help='its checkpoint')
    add(
        '--loss-net',
        metavar='CHECKPOINT',
        help='take the loss-net from here (default: CHECKPOINT)',
    )
    add(
        '--loss-net-config',
        metavar='CONFIG',
        help='config that the loss-net was trained with (default: CONFIG)',
    )
    add('--split', choices=['train', 'val', 'test'], default='test')
    add(
        '--predictions',
        nargs='+',
        default=[],
        metavar='FILE.npz',
        help='judge these too: tools/test.py --save-predictions of other pose-nets',
    )
    add('--out', metavar='FOLDER', help='write analysis.json, .md and pictures here')
    add(
        '--max-frames',
        type=int,
        default=3000,
        help='about so many frames, evenly spread (default: %(default)s)',
    )
    add('--steps', type=int, default=5, help='steps along the gradient')
    add(
        '--step-lengths',
        type=float,
        nargs='+',
        default=[0.5, 2, 5],
        metavar='MM',
        help='how far a step moves the joints, root mean square',
    )
    add('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    if args.max_frames < 1 or args.steps < 1 or min(args.step_lengths) <= 0:
        parser.error('--max-frames, --steps and --step-lengths must be positive')
    return args


def load(args: argparse.Namespace) -> tuple[Config, Energy, list[PoseSet]]:
    """Load the loss-net and all poses that it is to judge."""
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    trained = load_config(args.loss_net_config) if args.loss_net_config else cfg
    energy = load_energy(trained, args.loss_net or args.checkpoint)
    files = [load_predictions(path) for path in args.predictions]
    first = predict(cfg, args.checkpoint, args.split, args.max_frames, get_device())
    poses = [first]
    for path, entries in zip(args.predictions, files, strict=True):
        poses.append(PoseSet.from_predictions(entries, path, first.joints))
    sources = [args.config, *args.predictions]
    for source, each in zip(sources, poses, strict=True):
        check_same_kind(source, each, energy, first)
    return cfg, energy, name_apart(poses, sources)


def name_apart(poses: Sequence[PoseSet], sources: Sequence[str]) -> list[PoseSet]:
    """Add where they come from to names that occur twice."""
    names = [each.name for each in poses]
    return [
        each
        if names.count(each.name) == 1
        else replace(each, name=f'{each.name} ({source})')
        for each, source in zip(poses, sources, strict=True)
    ]


def check_same_kind(
    source: str, poses: PoseSet, energy: Energy, first: PoseSet
) -> None:
    """Refuse poses that the loss-net cannot score, or of other data.

    Raises:
        ValueError: skeleton or data set differ.
    """
    if poses.skeleton.name != energy.skeleton:
        raise ValueError(
            f'{source} has poses of the skeleton {poses.skeleton.name!r}, but the '
            f'loss-net scores {energy.skeleton!r}'
        )
    if poses.dataset != first.dataset:
        raise ValueError(
            f'{source} holds predictions on {poses.dataset}, but the config tests on '
            f'{first.dataset}; give predictions on the same data set'
        )


def write(folder: Path, analysis: Figures, text: str, judges: Sequence[Judge]) -> None:
    """Write the file, the tables and the pictures."""
    figures = json.dumps(plain(analysis), indent=2, ensure_ascii=False)
    for name, content in {'analysis.json': figures + '\n', 'analysis.md': text}.items():
        with whole_file(folder / name) as temporary:
            temporary.write_text(content, encoding='utf-8')
    for name, figure in pictures(analysis, judges).items():
        with whole_file(folder / f'{name}.png') as temporary:
            figure.savefig(temporary, format='png', dpi=150)
    print(f'analysis: {folder}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the analysis; return its exit code."""
    args = parse_args(argv)
    with one_line_errors():
        cfg, energy, pose_sets = load(args)
    judges = []
    for poses in pose_sets:
        some, windows = thin(poses, energy.frames, args.max_frames)
        some = some.to(get_device())
        field = EnergyField(energy.loss_net.to(get_device()), some.x, windows)
        judges.append(Judge(some, field, energy.objective))
        note = f'{poses.name}: {len(poses)} frames, {len(some)} of them analysed'
        print(note, file=sys.stderr)
    first = judges[0]
    lengths = [length / MM_PER_METRE for length in args.step_lengths]
    analysis = dict(
        config=config_name(cfg),
        checkpoint=args.checkpoint,
        loss_net=args.loss_net or args.checkpoint,
        dataset=first.poses.dataset,
        split=args.split,
        skeleton=first.poses.skeleton.name,
        predictions=[judge.predictions(lengths, args.steps) for judge in judges],
        corruptions=first.corruptions(),
        localisation=first.localisation(),
    )
    text = markdown(analysis)
    print(text)
    if args.out:
        write(Path(args.out), analysis, text, judges)
    return 0


if __name__ == '__main__':
    sys.exit(main())
