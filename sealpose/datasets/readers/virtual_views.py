"""Views of motion capture by virtual cameras."""

from collections.abc import Sequence

import numpy as np
import torch

from sealpose.geometry.camera import Camera, project_to_pixels, world_to_camera

# Between the outermost joint and the border of the image: joints lie inside the body.
MARGIN_PX = 20.0


def project_views(
    world: np.ndarray, cameras: Sequence[Camera], noise_px: float, rng_key: list[int]
) -> list[np.ndarray]:
    """Project a clip into every camera.

    Args:
        world: (T, J, 3), metres, world axes.
        cameras: The C cameras.
        noise_px: Standard deviation of Gaussian noise, pixels.
        rng_key: Non-negative numbers that the noise depends on, and on nothing else.

    Returns:
        C arrays (T, J, 2) float32, pixels.
    """
    points = torch.from_numpy(world).double()
    pixels = np.stack(
        [project_to_pixels(world_to_camera(points, c), c).numpy() for c in cameras]
    )
    if noise_px:
        noise = np.random.default_rng(rng_key).standard_normal(pixels.shape)
        pixels = pixels + noise_px * noise
    return [*pixels.astype(np.float32)]


def keep_in_view(
    world: np.ndarray, cameras: Sequence[Camera], root: int = 0
) -> tuple[np.ndarray, dict | None]:
    """Move a clip horizontally, if need be, so that every camera sees all of it.

    A clip that leaves some view is shifted by its mean root position. If it still does,
    the way of the root about that mean is scaled down just enough; poses and heights
    stay as they are.

    Args:
        world: (T, J, 3), metres, world axes.
        cameras: Cameras without lens distortion.
        root: Index of the joint that stands for the position of the person.

    Returns:
        The clip, and what was done to it: None, or ``shift`` (x, y) metres that were
        added first and ``scale`` of the root's way after that.

    Raises:
        ValueError: some camera cannot see the person even on the spot.
    """
    normals, offsets = _view_planes(cameras)
    if (world @ normals + offsets).min() >= 0:
        return world, None
    way = world[:, root : root + 1] * [1, 1, 0]
    mean = way.mean(0, keepdims=True)
    way = way - mean
    on_the_spot = world - mean - way
    # Each plane wants a + scale * b >= 0; the cone of a camera is convex, so the
    # scales that fit are an interval, which begins at 0.
    inside = on_the_spot @ normals + offsets
    slope = np.broadcast_to(way @ normals, inside.shape)
    if inside.min() < 0:
        raise ValueError(
            'the person does not fit into the view of every camera even on the spot: '
            f'heights reach from {world[..., 2].min():.2f} to '
            f'{world[..., 2].max():.2f} m'
        )
    outwards = slope < 0
    limits = inside[outwards] / -slope[outwards]
    scale = float(min(1.0, limits.min(initial=1.0)))
    shift = [float(value) for value in -mean[0, 0, :2]]
    return on_the_spot + scale * way, {'shift': shift, 'scale': scale}


def _view_planes(cameras: Sequence[Camera]) -> tuple[np.ndarray, np.ndarray]:
    """Return the planes that bound the views: point @ (3, P) + (P,) >= 0 inside."""
    normals, offsets = [], []
    for camera in cameras:
        sizes = (camera.width, camera.height)
        for axis in range(2):
            low = camera.centre[axis] - MARGIN_PX
            high = sizes[axis] - MARGIN_PX - camera.centre[axis]
            for side, reach in ((1, low), (-1, high)):
                plane = np.array([0.0, 0.0, reach])
                plane[axis] = side * camera.focal[axis]
                normals.append(plane @ np.array(camera.rotation))
                offsets.append(-normals[-1] @ np.array(camera.position))
    return np.stack(normals, 1), np.array(offsets)
