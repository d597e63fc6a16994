import math

import pytest
import torch

from sealpose.geometry.camera import (
    Camera,
    camera_ring,
    normalize_screen,
    project_to_pixels,
    quaternion_to_matrix,
    world_to_camera,
)


def test_ring_camera_sees_its_axis_in_the_middle_and_up_as_up():
    for camera in camera_ring(4):
        points = torch.tensor([[0, 0, 0.9], [0, 0, 1.9]], dtype=torch.float64)
        seen = world_to_camera(points, camera)
        pixels = project_to_pixels(seen, camera)
        torch.testing.assert_close(pixels[0], torch.full((2,), 500.0).double())
        assert pixels[1, 1] < pixels[0, 1]  # image y points down
        distance = math.hypot(5.0, 0.6)
        assert seen[0, 2].item() == pytest.approx(distance)


def test_ring_camera_does_not_mirror():
    rotation = torch.tensor(camera_ring(3)[1].rotation)
    assert torch.linalg.det(rotation).item() == pytest.approx(1, abs=1e-6)
    # The first camera stands at +x +y: a point at +x is on its left... seen from
    # there, looking at the origin, +x lies to the right of +y.
    first = camera_ring(4)[0]
    x, y = world_to_camera(torch.eye(3)[:2], first)[:, 0]
    assert x < y


def test_projection_without_lens_distortion_by_hand():
    camera = _camera()
    pixels = project_to_pixels(torch.tensor([0.5, -0.25, 2.0]), camera)
    assert pixels.tolist() == [500 + 1000 * 0.25, 500 - 1000 * 0.125]


def test_lens_distortion_by_hand():
    camera = _camera(radial=(0.1, 0.0, 0.0), tangential=(0.01, 0.02))
    pixels = project_to_pixels(torch.tensor([0.2, 0.1, 1.0]).double(), camera)
    r2 = 0.05
    scale = 1 + 0.1 * r2 + (0.01 * 0.2 + 0.02 * 0.1)
    x, y = 0.2 * scale + 0.01 * r2, 0.1 * scale + 0.02 * r2
    torch.testing.assert_close(
        pixels, torch.tensor([500 + 1000 * x, 500 + 1000 * y]).double()
    )


def test_screen_normalisation_keeps_the_aspect_ratio():
    corners = torch.tensor([[0.0, 0.0], [1000.0, 1002.0], [500.0, 501.0]])
    expected = torch.tensor([[-1.0, -1.002], [1.0, 1.002], [0.0, 0.0]])
    torch.testing.assert_close(normalize_screen(corners, 1000, 1002), expected)


def test_quaternion_of_a_quarter_turn_about_z():
    half = math.sqrt(0.5)
    matrix = quaternion_to_matrix(torch.tensor([half, 0.0, 0.0, half]))
    expected = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    torch.testing.assert_close(matrix, expected)


def _camera(**lens) -> Camera:
    return Camera(
        name='cam',
        rotation=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        position=(0, 0, 0),
        focal=(1000, 1000),
        centre=(500, 500),
        width=1000,
        height=1000,
        **lens,
    )
