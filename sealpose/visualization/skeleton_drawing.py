"""Skeletons on matplotlib axes, left and right in two colours."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d.axes3d import Axes3D

from sealpose.skeletons import Skeleton

# Told apart by colour-blind readers too.
COLOURS = {'left': '#e8601c', 'right': '#1965b0', 'middle': '#4d4d4d'}
GHOST = '#c8c8c8'
FLOOR = '#e4e4e4'
# Where the drawing is seen from, degrees about the vertical: a little beside the
# camera; and from its right, so that depth goes from left to right.
OBLIQUE, SIDE = -65, 0


def to_display(pose: np.ndarray) -> np.ndarray:
    """Turn camera axes into those of the drawing, Z up.

    Args:
        pose: (..., 3), x right, y down, z forward.

    Returns:
        (..., 3), x right, y away from the camera, z up.
    """
    return np.stack([pose[..., 0], pose[..., 2], -pose[..., 1]], axis=-1)


@dataclass(frozen=True)
class View:
    """A cube of space, in the axes of the drawing.

    Args:
        centre: Middle of the cube, (3,).
        radius: Half its side, metres.
        floor: Height of the floor.
    """

    centre: np.ndarray
    radius: float
    floor: float

    @classmethod
    def around(cls, poses: np.ndarray) -> 'View':
        """Return the view that holds all poses, (N, J, 3) in camera axes, metres."""
        points = to_display(poses).reshape(-1, 3)
        low, high = points.min(0), points.max(0)
        return cls((low + high) / 2, 0.52 * (high - low).max(), low[2])


def draw_skeleton_3d(
    axes: Axes3D,
    pose: np.ndarray,
    skeleton: Skeleton,
    *,
    view: View,
    ghost: np.ndarray | None = None,
    azimuth: float = OBLIQUE,
) -> None:
    """Draw a pose upright over a hint of the floor.

    Args:
        axes: 3D axes.
        pose: (J, 3), metres, root-relative, camera axes.
        skeleton: Its skeleton.
        view: The part of space to show; the same for all that is to be compared.
        ghost: Another pose, drawn lightly behind: the truth behind a prediction.
        azimuth: Where it is seen from, OBLIQUE or SIDE.
    """
    _draw_floor(axes, view)
    if ghost is not None:
        for bone, _ in _bones(to_display(ghost), skeleton):
            axes.plot(*bone.T, color=GHOST, linewidth=3.5, solid_capstyle='round')
    for bone, colour in _bones(to_display(pose), skeleton):
        axes.plot(*bone.T, color=colour, linewidth=2, solid_capstyle='round')
    low, high = view.centre - view.radius, view.centre + view.radius
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    axes.set_box_aspect((1, 1, 1), zoom=1.5)
    axes.view_init(elev=8, azim=azimuth)
    axes.set_axis_off()


def draw_keypoints_2d(axes: Axes, keypoints: np.ndarray, skeleton: Skeleton) -> None:
    """Draw 2D keypoints as the image shows them, cropped to the person.

    Args:
        axes: 2D axes.
        keypoints: (J, 2), screen-normalised, y down.
        skeleton: Their skeleton.
    """
    for bone, colour in _bones(keypoints, skeleton):
        axes.plot(*bone.T, color=colour, linewidth=2, solid_capstyle='round')
    axes.plot(*keypoints.T, 'o', color='black', markersize=2.5)
    centre = (keypoints.min(0) + keypoints.max(0)) / 2
    half = 0.55 * np.ptp(keypoints, axis=0).max()
    axes.set_xlim(centre[0] - half, centre[0] + half)
    axes.set_ylim(centre[1] + half, centre[1] - half)
    axes.set_aspect('equal')
    axes.set_axis_off()


def _bones(pose: np.ndarray, skeleton: Skeleton) -> Iterator[tuple[np.ndarray, str]]:
    for parent, child in skeleton.segments:
        if child in skeleton.left_joints:
            side = 'left'
        elif child in skeleton.right_joints:
            side = 'right'
        else:
            side = 'middle'
        yield pose[[parent, child]], COLOURS[side]


def _draw_floor(axes: Axes3D, view: View) -> None:
    x, y, _ = view.centre
    ends = 0.6 * view.radius * np.array([-1, 1])
    for mark in np.linspace(*ends, 5):
        line = dict(color=FLOOR, linewidth=0.7)
        axes.plot(x + ends, [y + mark] * 2, view.floor, **line)
        axes.plot([x + mark] * 2, y + ends, view.floor, **line)
