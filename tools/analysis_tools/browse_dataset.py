#!/usr/bin/env python
"""Look at the data of a config: browse_dataset.py CONFIG --out browse.png.

Skeletons over time, the 2D keypoints beside the 3D poses: a strip of frames as a PNG,
or a moving GIF. Left and right have colours of their own, so a swap shows at once.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from sealpose.apis import load_config
from sealpose.apis.cli import one_line_errors
from sealpose.datasets import WindowDataset
from sealpose.evaluation.files import whole_file
from sealpose.registry import DATASETS
from sealpose.visualization.sequence_drawing import (
    COLUMNS,
    SequenceDrawing,
    draw_gif,
    draw_strip,
)

# Frames that are shown unless others are asked for.
GIF_FRAMES = 60
# More of them are hardly a picture any more.
MOST_FRAMES = {'.png': 40, '.gif': 600}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = argparse.ArgumentParser(description='Look at the data of a config.')
    add = parser.add_argument
    add('config', help='config with the data set')
    add('--split', choices=['train', 'val', 'test'], default='train')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--sequence', type=int, default=0, help='its number, from 0')
    which.add_argument(
        '--search',
        metavar='TEXT',
        help='the first sequence whose subject/clip/camera/action contains this',
    )
    add(
        '--frames',
        type=frame_range,
        metavar='FIRST:LAST:STEP',
        help=f'like a slice of Python; default: {COLUMNS} frames of the whole '
        f'sequence for a PNG, every second one of the first {2 * GIF_FRAMES} for a GIF',
    )
    add('--out', required=True, metavar='FILE.png|FILE.gif')
    add('--fps', type=float, default=25, help='of a GIF (default: 25)')
    add('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    args.form = Path(args.out).suffix.lower()
    if args.form not in MOST_FRAMES:
        parser.error(f'--out {args.out}: expected a file name in .png or .gif')
    if args.fps <= 0:
        parser.error(f'--fps {args.fps:g}: expected a positive number')
    return args


def frame_range(text: str) -> slice:
    """Turn ``10:50:2`` into a slice."""
    try:
        parts = [int(part) if part else None for part in text.split(':')]
        return slice(parts[0], parts[0] + 1) if len(parts) == 1 else slice(*parts)
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f'expected FIRST:LAST:STEP or a number, got {text!r}'
        ) from None


def build_dataset(args: argparse.Namespace) -> WindowDataset:
    """Build the data set of a split, a frame a window: the model does not matter."""
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'sealpose'))
    config = dict(cfg[f'{args.split}_dataloader'].dataset)
    for window in ('input_frames', 'output_frames', 'stride', 'target_frames'):
        config.pop(window, None)
    dataset = DATASETS.build(config)
    if not isinstance(dataset, WindowDataset):
        raise ValueError(
            f'{type(dataset).__name__} is no WindowDataset; only those have sequences '
            'to look at'
        )
    return dataset


def choose_sequence(dataset: WindowDataset, args: argparse.Namespace) -> int:
    """Return the number of the sequence to show.

    Raises:
        ValueError: there is none.
    """
    names = [describe(entry) for entry in dataset.store.sequences]
    if args.search is None:
        if not 0 <= args.sequence < len(names):
            raise ValueError(
                f'--sequence {args.sequence}: the {args.split} split has the '
                f'sequences 0 to {len(names) - 1}'
            )
        return args.sequence
    hits = [n for n, name in enumerate(names) if args.search.lower() in name.lower()]
    if not hits:
        raise ValueError(
            f'--search {args.search!r}: none of the {len(names)} sequences of the '
            f'{args.split} split contains it; they look like {names[0]!r}'
        )
    print(f'{len(hits)} sequences contain {args.search!r}, showing number {hits[0]}')
    return hits[0]


def describe(entry: dict) -> str:
    """Name a sequence: subject, clip, camera and action."""
    return f'{entry["subject"]}/{entry["clip"]}/{entry["camera"]} ({entry["action"]})'


def choose_frames(length: int, wanted: slice | None, form: str) -> list[int]:
    """Return the frames to show.

    Raises:
        ValueError: none, or more than make a picture.
    """
    if wanted is not None:
        frames = list(range(length))[wanted]
    elif form == '.png':
        frames = np.linspace(0, length - 1, min(COLUMNS, length)).astype(int)
    else:
        frames = range(0, min(length, 2 * GIF_FRAMES), 2)
    if not len(frames) or len(frames) > MOST_FRAMES[form]:
        raise ValueError(
            f'--frames leaves {len(frames)} of the {length} frames of the sequence; '
            f'expected 1 to {MOST_FRAMES[form]} for a {form}'
        )
    return [int(frame) for frame in frames]


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the picture; return the exit code."""
    args = parse_args(argv)
    with one_line_errors():
        dataset = build_dataset(args)
        number = choose_sequence(dataset, args)
        entry = dataset.store.sequences[number]
        frames = choose_frames(entry['length'], args.frames, args.form)
    sequence = next(islice(dataset.store.split(), number, None))
    meta = dataset.metainfo
    drawing = SequenceDrawing(
        sequence, frames, dataset.skeleton, meta.get('has_truth', True)
    )
    title = f'{meta["dataset"]} {args.split}, sequence {number}: {describe(entry)}'
    if args.form == '.gif':
        picture = draw_gif(drawing, title, args.fps)
    else:
        file = io.BytesIO()
        draw_strip(drawing, title).savefig(file, format='png', dpi=130)
        picture = file.getvalue()
    with whole_file(args.out) as temporary:
        temporary.write_bytes(picture)
    print(f'{title}, {entry["length"]} frames\npicture: {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
