"""The analysis as pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sealpose.analysis.intervals import Estimate
from sealpose.analysis.judge import Judge
from sealpose.analysis.panels import (
    COLOURS,
    GREY,
    add_legend,
    colours,
    make_panels,
    style,
)
from sealpose.evaluation.report import metric_title
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import Skeleton


def pictures(analysis: dict[str, Any], judges: Sequence[Judge]) -> dict[str, Figure]:
    """Draw everything.

    Args:
        analysis: What the tables are made of.
        judges: One per pose-net, in the order of ``analysis['predictions']``.

    Returns:
        File name without ending to picture.
    """
    return {
        'energy_error': draw_energy_error(judges),
        'corruptions': draw_corruptions(analysis['corruptions']),
        'calibration': draw_calibration(analysis['predictions']),
        'steps': draw_steps(analysis['predictions']),
        'joints': draw_joints(analysis['predictions'], judges),
    }


def draw_energy_error(judges: Sequence[Judge]) -> Figure:
    """Draw energy and gap against MPJPE: a row per pose-net, darker for more frames."""
    figure, panels = make_panels(len(judges), 2, 3.6, 2.9)
    for row, judge in zip(panels, judges, strict=True):
        error = judge.errors['MPJPE'][judge.rows].cpu().numpy()
        energies = {'E(x, ŷ)': judge.energy_pred, 'E(x, ŷ) - E(x, y)': judge.gap}
        for axes, (title, values) in zip(row, energies.items(), strict=True):
            values = values[judge.rows].cpu().numpy()
            axes.hexbin(values, error, gridsize=40, bins='log', cmap='Blues', mincnt=1)
            style(axes, title, 'MPJPE mm')
        row[0].set_title(judge.poses.name, loc='left', fontsize=9)
    return figure


def draw_corruptions(corruptions: Sequence[dict]) -> Figure:
    """Draw the share of corruptions that are ranked right, by kind and severity."""
    kinds = list(dict.fromkeys(c['kind'] for c in corruptions))
    figure, panels = make_panels(1, len(kinds), 2.3, 2.8, sharey=True)
    for axes, kind in zip(panels[0], kinds, strict=True):
        rows = [c for c in corruptions if c['kind'] == kind]
        places = range(len(rows))
        _curve(axes, places, [c['ranked_right_%'] for c in rows], COLOURS[0])
        axes.set_xticks(
            places, [f'{c["severity"]:g}' if c['unit'] else '' for c in rows]
        )
        axes.axhline(50, color=GREY, linestyle=':')
        axes.set_ylim(0, 102)
        style(axes, rows[0]['unit'], '')
        axes.set_title(kind, fontsize=9)
    panels[0, 0].set_ylabel('energy above the truth, % of frames')
    return figure


def draw_calibration(predictions: Sequence[dict]) -> Figure:
    """Draw the mean errors by tenths of the energy."""
    measures = list(predictions[0]['overview']['errors'])
    figure, panels = make_panels(1, len(measures), 2.5, 2.8)
    for axes, measure in zip(panels[0], measures, strict=True):
        for colour, p in zip(colours(predictions), predictions, strict=True):
            errors = [b['errors'][measure] for b in p['calibration']]
            _curve(axes, range(1, len(errors) + 1), errors, colour, p['name'])
        axes.set_xticks([1, 5, 10])
        style(axes, 'tenth by energy', _title(measure))
    add_legend(figure, _entries(panels[0, 0]))
    return figure


def draw_steps(predictions: Sequence[dict]) -> Figure:
    """Draw the change of the errors by the way gone, downhill and at random."""
    measures = list(predictions[0]['overview']['errors'])
    figure, panels = make_panels(1, len(measures), 2.5, 2.8)
    for axes, measure in zip(panels[0], measures, strict=True):
        for colour, p in zip(colours(predictions), predictions, strict=True):
            for direction in ('energy', 'random'):
                steps = [s for s in p['steps'] if s['direction'] == direction]
                way = [s['steps'] * s['length_mm'] for s in steps]
                changes = [s['change'][measure] for s in steps]
                name = f'{p["name"]}, {direction}'
                line = '-' if direction == 'energy' else ':'
                _curve(axes, way, changes, colour, name, line)
        axes.axhline(0, color=GREY, linewidth=0.8)
        style(axes, 'way gone, mm', f'change of {_title(measure)}')
    add_legend(figure, _entries(panels[0, 0]))
    return figure


def draw_joints(predictions: Sequence[dict], judges: Sequence[Judge]) -> Figure:
    """Draw gradient and error of each joint on a skeleton: a row per pose-net."""
    skeleton = judges[0].poses.skeleton
    pose = spread_pose(judges[0].poses.gt.cpu(), skeleton).numpy()
    figure, panels = make_panels(len(predictions), 2, 3.2, 3.4)
    titles = {'gradient': 'gradient by the joint', 'error_mm': 'error of the joint, mm'}
    for row, p in zip(panels, predictions, strict=True):
        joints = p['attribution']['joints'].values()
        for axes, (key, title) in zip(row, titles.items(), strict=True):
            values = [joint[key].value for joint in joints]
            _draw_values(axes, pose, skeleton, values, title)
        row[0].set_title(p['name'], loc='left', fontsize=9)
    return figure


def spread_pose(poses: torch.Tensor, skeleton: Skeleton) -> torch.Tensor:
    """Choose the pose on which joints overlap least: left far from right in the image.

    Args:
        poses: (N, J, 3), metres, camera axes.
        skeleton: Their skeleton.

    Returns:
        (J, 3).
    """
    left, right = list(skeleton.left_joints), list(skeleton.right_joints)
    apart = (poses[:, left, 0] - poses[:, right, 0]).abs().sum(-1)
    return poses[apart.argmax()]


def _draw_values(
    axes: Axes,
    pose: np.ndarray,
    skeleton: Skeleton,
    values: Sequence[float],
    title: str,
) -> None:
    across, up = pose[:, 0], -pose[:, 1]
    for a, b in skeleton.segments:
        axes.plot(across[[a, b]], up[[a, b]], color=GREY, linewidth=1.5, zorder=1)
    size = 120 if skeleton.num_joints < 40 else 15
    dots = axes.scatter(
        across, up, c=values, s=size, cmap='YlOrRd', vmin=0, edgecolors=GREY, zorder=2
    )
    axes.figure.colorbar(dots, ax=axes, shrink=0.8, label=title)
    axes.set_aspect('equal')
    axes.margins(0.12)
    axes.set_axis_off()


def _curve(
    axes: Axes,
    places: Sequence[float],
    estimates: Sequence[Estimate],
    colour: str,
    name: str | None = None,
    line: str = '-',
) -> None:
    values, low, high = (
        [getattr(e, key) for e in estimates] for key in ('value', 'low', 'high')
    )
    axes.plot(places, values, line, marker='o', markersize=3, color=colour, label=name)
    axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)


def _entries(axes: Axes) -> dict[str, Any]:
    handles, names = axes.get_legend_handles_labels()
    return dict(zip(names, handles, strict=True))


def _title(measure: str) -> str:
    return metric_title(measure, FRAME_METRICS.get(measure).unit)
