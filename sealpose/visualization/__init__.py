"""Drawing of skeletons."""

from sealpose.visualization.skeleton_drawing import (
    COLOURS,
    GHOST,
    OBLIQUE,
    SIDE,
    View,
    draw_keypoints_2d,
    draw_skeleton_3d,
    to_display,
)

__all__ = [
    'COLOURS',
    'GHOST',
    'OBLIQUE',
    'SIDE',
    'View',
    'draw_keypoints_2d',
    'draw_skeleton_3d',
    'to_display',
]
