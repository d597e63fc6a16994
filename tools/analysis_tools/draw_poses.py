#!/usr/bin/env python
"""Draw true and predicted skeletons: draw_poses.py A.npz B.npz --out X.png.

Each pose is seen twice, the second time from the side, where errors of depth show.
The files come from tools/test.py --save-predictions. The frames where the predictions
differ most come first; with one file, those with the largest error.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D

from sealpose.evaluation.files import whole_file
from sealpose.evaluation.predictions import check_poses, has_truth, load_predictions
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import Skeleton, get_skeleton
from sealpose.visualization import (
    COLOURS,
    GHOST,
    OBLIQUE,
    SIDE,
    View,
    draw_keypoints_2d,
    draw_skeleton_3d,
)

Predictions = dict[str, np.ndarray]

# Frames of one sequence that lie closer than this look alike.
APART = 25
SMALL = dict(ha='center', va='center', fontsize=7.5)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw the 2D input, the truth and predictions side by side.'
    )
    parser.add_argument('files', nargs='+', metavar='FILE.npz')
    parser.add_argument('--out', required=True, metavar='FILE.png')
    parser.add_argument('--count', type=int, default=5, help='how many frames')
    args = parser.parse_args(argv)
    if args.count < 1:
        parser.error(f'--count {args.count}: expected 1 or more')
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        models = [load_predictions(path) for path in args.files]
        skeleton = get_skeleton(str(models[0]['skeleton']))
        check_same_data(args.files, models)
        for path, model in zip(args.files, models, strict=True):
            check_poses(path, model, skeleton, needs_truth=False)
        frames = choose_frames(models, args.count)
        figure = draw(models, frames, skeleton)
        with whole_file(args.out) as temporary:
            figure.savefig(temporary, format='png', dpi=150)
    except (KeyError, OSError, ValueError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f'error: {message}', file=sys.stderr)
        return 2
    print(f'picture: {args.out}')
    return 0


def check_same_data(files: Sequence[str], models: Sequence[Predictions]) -> None:
    """Refuse predictions that were not made on the same frames."""
    for path, model in zip(files[1:], models[1:], strict=True):
        for key in ('skeleton', 'dataset', 'sequence', 'frame', 'keypoints_3d_gt'):
            is_float = model[key].dtype.kind == 'f'
            if not np.array_equal(model[key], models[0][key], equal_nan=is_float):
                raise ValueError(
                    f'{path} and {files[0]} differ in {key!r}: they hold predictions '
                    'of other data; test both models on the same data set'
                )


def choose_frames(models: Sequence[Predictions], count: int) -> list[int]:
    """Choose frames that differ most, at most one of a sequence while there are others.

    Args:
        models: One or more predictions of the same frames; the first two are compared,
            a single one with the truth, or by its asymmetry where there is none.
        count: How many frames.

    Returns:
        Positions of the frames, the most different first.
    """
    difference = differences(models)
    order = np.argsort(-difference, kind='stable')
    clips = clip_of_frame(models[0])
    chosen = [int(frame) for frame in first_of_each(clips[order], order)][:count]
    for frame in order:
        if len(chosen) >= count:
            break
        same_clip = [c for c in chosen if clips[c] == clips[frame]]
        moments = models[0]['frame']
        if all(abs(int(moments[c]) - int(moments[frame])) >= APART for c in same_clip):
            chosen.append(int(frame))
    return chosen


def differences(models: Sequence[Predictions]) -> np.ndarray:
    """Say how far apart two predictions are, or one from the truth, per frame (N,)."""
    poses = [model['keypoints_3d_pred'] for model in models]
    if len(poses) == 1 and not has_truth(models[0]):
        pose = torch.from_numpy(poses[0])
        skeleton = get_skeleton(str(models[0]['skeleton']))
        return FRAME_METRICS.get('LSE')(pose, pose, skeleton).numpy()
    other = poses[1] if len(poses) > 1 else models[0]['keypoints_3d_gt']
    return np.linalg.norm(poses[0] - other, axis=-1).mean(-1)


def clip_of_frame(model: Predictions) -> np.ndarray:
    """Number the clips, whatever camera saw them: (N,)."""
    names = np.char.add(np.char.add(model['subject'], '/'), model['clip'])
    return np.unique(names, return_inverse=True)[1][model['sequence']]


def first_of_each(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the first value of each group, in their order."""
    return values[np.sort(np.unique(groups, return_index=True)[1])]


def draw(
    models: Sequence[Predictions], frames: Sequence[int], skeleton: Skeleton
) -> Figure:
    """Draw one row per frame: 2D input, truth, then each prediction over the truth.

    The poses from two sides.
    """
    titles = ['truth'] if has_truth(models[0]) else []
    titles += [str(model['name']) for model in models]
    columns = 1 + 2 * len(titles)
    figure = Figure(figsize=(2.1 * columns, 2.72 * len(frames) + 0.93))
    FigureCanvasAgg(figure)
    head = 0.45 / figure.get_figheight()
    foot = 0.48 / figure.get_figheight()
    grid = figure.add_gridspec(
        len(frames),
        columns,
        left=0.01,
        right=0.99,
        top=1 - head,
        bottom=foot,
        wspace=0.0,
        hspace=0.2,
    )
    for row, frame in enumerate(frames):
        draw_row(figure, grid[row, :], models, frame, skeleton)
    spans = [grid[0, 0], *(grid[0, i : i + 2] for i in range(1, columns, 2))]
    for span, title in zip(spans, ['2D input', *titles], strict=True):
        box = span.get_position(figure)
        x = (box.x0 + box.x1) / 2
        figure.text(x, 1 - 0.5 * head, title, ha='center', va='center', weight='bold')
    for column in range(2, columns, 2):
        box = grid[0, column].get_position(figure)
        figure.text((box.x0 + box.x1) / 2, box.y1, 'from the side', **SMALL)
    add_legend(figure, has_truth(models[0]))
    return figure


def draw_row(figure, cells, models, frame: int, skeleton: Skeleton) -> None:
    first = models[0]
    truth = first['keypoints_3d_gt'][frame] if has_truth(first) else None
    poses = [model['keypoints_3d_pred'][frame] for model in models]
    shown = poses if truth is None else [truth, *poses]
    view = View.around(np.stack(shown))
    columns = cells.subgridspec(1, 1 + 2 * len(shown), wspace=0.0)
    axes = figure.add_subplot(columns[0])
    draw_keypoints_2d(axes, first['keypoints_2d'][frame], skeleton)
    caption(figure, columns[0], describe_frame(first, frame))
    for i, pose in enumerate(shown):
        ghost = None if pose is truth else truth
        span = columns[0, 2 * i + 1 : 2 * i + 3]
        for cell, azimuth in zip((2 * i + 1, 2 * i + 2), (OBLIQUE, SIDE), strict=True):
            axes = figure.add_subplot(columns[cell], projection='3d')
            draw_skeleton_3d(
                axes, pose, skeleton, view=view, ghost=ghost, azimuth=azimuth
            )
        caption(figure, span, describe_pose(pose, truth, skeleton))


def caption(figure: Figure, cells: SubplotSpec, text: str) -> None:
    box = cells.get_position(figure)
    figure.text((box.x0 + box.x1) / 2, box.y0, text, **{**SMALL, 'va': 'top'})


def describe_frame(model: Predictions, frame: int) -> str:
    sequence = model['sequence'][frame]
    return (
        f'{model["subject"][sequence]}: {model["clip"][sequence]}\n'
        f'{model["action"][sequence]}, {model["camera"][sequence]}, '
        f'frame {model["frame"][frame]}'
    )


def describe_pose(
    pose: np.ndarray, truth: np.ndarray | None, skeleton: Skeleton
) -> str:
    pred = torch.from_numpy(pose)[None]
    figures = []
    if truth is not None and pose is not truth:
        gt = torch.from_numpy(truth)[None]
        error = FRAME_METRICS.get('MPJPE')(pred, gt, skeleton).item()
        figures.append(f'MPJPE {error:.0f} mm')
    if skeleton.symmetric_segments:
        symmetry = FRAME_METRICS.get('LSE')(pred, pred, skeleton).item()
        figures.append(f'LSE {symmetry:.1f} %')
    return ', '.join(figures)


def add_legend(figure: Figure, with_truth: bool) -> None:
    entries = {**COLOURS, **({'truth (behind)': GHOST} if with_truth else {})}
    figure.legend(
        [Line2D([], [], color=colour, linewidth=2.5) for colour in entries.values()],
        entries.keys(),
        loc='lower center',
        ncols=len(entries),
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
    )


if __name__ == '__main__':
    sys.exit(main())
