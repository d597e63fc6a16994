"""Drawing of skeletons."""

from sealpose.visualization.skeleton_drawing import (
    COLOURS,
    GHOST,
    View,
    draw_keypoints_2d,
    draw_skeleton_3d,
    to_display,
)

__all__ = [
    'COLOURS',
    'GHOST',
    'View',
    'draw_keypoints_2d',
    'draw_skeleton_3d',
    'to_display',
]
