import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from sealpose.skeletons import H36M17
from sealpose.visualization import (
    COLOURS,
    GHOST,
    OBLIQUE,
    SIDE,
    View,
    draw_keypoints_2d,
    draw_skeleton_3d,
    to_display,
)
from tests.conftest import walking_joints


@pytest.fixture
def pose():
    """A person who faces the camera: camera axes, left limbs at x > 0."""
    world = walking_joints(1)[0]
    return np.stack([world[:, 0], -world[:, 2], world[:, 1]], -1)


def pixels(draw, **subplot):
    figure = Figure(figsize=(3, 3), dpi=100)
    canvas = FigureCanvasAgg(figure)
    draw(figure.add_subplot(**subplot))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255


def columns_of(image, colour):
    return np.nonzero(np.abs(image - to_rgb(colour)).max(-1) < 0.02)[1]


def test_up_is_up_in_the_drawing(pose):
    shown = to_display(pose)
    head, ankle = H36M17.index('head'), H36M17.index('left_ankle')
    assert shown[head, 2] > shown[ankle, 2] + 1


def test_farther_from_the_camera_is_farther_back():
    assert to_display(np.array([0.0, 0.0, 2.0])).tolist() == [0.0, 2.0, 0.0]


def test_left_and_right_are_where_their_colours_are(pose):
    image = pixels(lambda axes: draw_keypoints_2d(axes, pose[:, :2], H36M17))
    assert columns_of(image, COLOURS['left']).mean() > 160
    assert columns_of(image, COLOURS['right']).mean() < 140


def test_3d_drawing_shows_both_sides_and_the_ghost(pose):
    ghost = pose + np.array([0.3, 0, 0])
    view = View.around(np.stack([pose, ghost]))

    def draw(axes):
        draw_skeleton_3d(axes, pose, H36M17, view=view, ghost=ghost)

    image = pixels(draw, projection='3d')
    left, right = (columns_of(image, COLOURS[side]) for side in ('left', 'right'))
    assert len(left) > 50
    assert len(right) > 50
    assert left.mean() > right.mean()
    ghost = columns_of(image, GHOST)
    assert ghost.mean() > left.mean()


def test_depth_shows_from_the_side(pose):
    ghost = pose + np.array([0, 0, 0.3])  # farther from the camera
    view = View.around(np.stack([pose, ghost]))
    shift = {}
    for azimuth in (OBLIQUE, SIDE):

        def draw(axes, azimuth=azimuth):
            draw_skeleton_3d(
                axes, pose, H36M17, view=view, ghost=ghost, azimuth=azimuth
            )

        image = pixels(draw, projection='3d')
        spine = columns_of(image, COLOURS['middle']).mean()
        shift[azimuth] = columns_of(image, GHOST).mean() - spine
    assert shift[SIDE] > 2 * abs(shift[OBLIQUE]) > 0


def test_a_mirrored_person_swaps_the_colours(pose):
    swapped = pose[list(H36M17.mirror)]
    view = View.around(pose[None])
    images = [
        pixels(
            lambda axes, p=p: draw_skeleton_3d(axes, p, H36M17, view=view),
            projection='3d',
        )
        for p in (pose, swapped)
    ]
    left, right = (
        [columns_of(image, COLOURS[side]).mean() for image in images]
        for side in ('left', 'right')
    )
    assert left[0] > right[0]
    assert left[1] < right[1]
