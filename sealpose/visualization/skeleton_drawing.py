"""Skeletons on matplotlib axes, left and right in two colours."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d.axes3d import Axes3D

from sealpose.skeletons import Skeleton

# Told apart by colour-blind readers too.
COLOURS = {'left': '#e8601c', 'right': '#1965b0', 'middle': '#4d4d4d'}
GHOST = '#c8c8c8'
FLOOR = '#e4e4e4'


def to_display(pose: np.ndarray) -> np.ndarray:
    """Turn camera axes into those of the drawing, Z up.

    Args:
        pose: (..., 3), x right, y down, z forward.

    Returns:
        (..., 3), x right, y away from the camera, z up.
    """
    return np.stack([pose[..., 0], pose[..., 2], -pose[..., 1]], axis=-1)


def draw_skeleton_3d(
    axes: Axes3D,
    pose: np.ndarray,
    skeleton: Skeleton,
    *,
    ghost: np.ndarray | None = None,
    radius: float = 1.0,
) -> None:
    """Draw a pose upright over a hint of the floor.

    Args:
        axes: 3D axes; every pose of a row gets the same ``radius``.
        pose: (J, 3), metres, root-relative, camera axes.
        skeleton: Its skeleton.
        ghost: Another pose, drawn lightly behind: the truth behind a prediction.
        radius: Half the side of the cube that is shown, metres.
    """
    poses = [to_display(p) for p in (pose, ghost) if p is not None]
    lowest = min(p[:, 2].min() for p in poses)
    _draw_floor(axes, lowest, radius)
    if ghost is not None:
        for bone, _ in _bones(poses[1], skeleton):
            axes.plot(*bone.T, color=GHOST, linewidth=3.5, solid_capstyle='round')
    for bone, colour in _bones(poses[0], skeleton):
        axes.plot(*bone.T, color=colour, linewidth=2, solid_capstyle='round')
    middle = lowest + radius
    axes.set(
        xlim=(-radius, radius),
        ylim=(-radius, radius),
        zlim=(middle - radius, middle + radius),
    )
    axes.set_box_aspect((1, 1, 1), zoom=1.65)
    axes.view_init(elev=8, azim=-65)
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


def _draw_floor(axes: Axes3D, height: float, radius: float) -> None:
    marks = np.linspace(-0.6, 0.6, 5) * radius
    ends = 0.6 * radius * np.array([-1, 1])
    for mark in marks:
        axes.plot(ends, [mark, mark], height, color=FLOOR, linewidth=0.7)
        axes.plot([mark, mark], ends, height, color=FLOOR, linewidth=0.7)
