"""Pinhole cameras: world to camera, camera to pixels, pixels to screen.

World axes are Z up, metres. Camera axes are x right, y down, z forward, metres.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with Brown's lens distortion.

    Args:
        name: Identifier that results refer to.
        rotation: World-to-camera rotation, 3 rows of 3.
        position: Optical centre in the world, metres.
        focal: Focal length (x, y), pixels.
        centre: Principal point (x, y), pixels.
        width: Image width, pixels.
        height: Image height, pixels.
        radial: Radial distortion, three coefficients.
        tangential: Tangential distortion, two coefficients.
    """

    name: str
    rotation: tuple[tuple[float, ...], ...]
    position: tuple[float, ...]
    focal: tuple[float, float]
    centre: tuple[float, float]
    width: int
    height: int
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)


def world_to_camera(points: Tensor, camera: Camera) -> Tensor:
    """Express world points in camera axes.

    Args:
        points: (..., 3), metres, world axes.
        camera: The camera.

    Returns:
        (..., 3), metres, camera axes.
    """
    rotation = points.new_tensor(camera.rotation)
    return (points - points.new_tensor(camera.position)) @ rotation.T


def project_to_pixels(points: Tensor, camera: Camera) -> Tensor:
    """Project camera-space points through the lens onto the image.

    Args:
        points: (..., 3), metres, camera axes, in front of the camera.
        camera: The camera.

    Returns:
        (..., 2), pixels.
    """
    xy = points[..., :2] / points[..., 2:]
    if any(camera.radial) or any(camera.tangential):
        xy = _distort(xy, camera)
    return xy * xy.new_tensor(camera.focal) + xy.new_tensor(camera.centre)


def _distort(xy: Tensor, camera: Camera) -> Tensor:
    r2 = xy.square().sum(-1, keepdim=True)
    k1, k2, k3 = camera.radial
    tangential = xy.new_tensor(camera.tangential)
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    # The data set's own form of Brown's model: the tangential part is factored so that
    # it scales the point and adds the swapped coefficients times r².
    scale = radial + (xy * tangential).sum(-1, keepdim=True)
    return xy * scale + r2 * tangential


def normalize_screen(pixels: Tensor, width: int, height: int) -> Tensor:
    """Scale pixels so that the image width spans [-1, 1], keeping the aspect ratio.

    Args:
        pixels: (..., 2), pixels.
        width: Image width, pixels.
        height: Image height, pixels.

    Returns:
        (..., 2); y spans [-height/width, height/width].
    """
    return pixels / width * 2 - pixels.new_tensor([1.0, height / width])


def camera_ring(
    count: int,
    radius: float = 5.0,
    height: float = 1.5,
    target_height: float = 0.9,
    focal: float = 1145.0,
    size: int = 1000,
) -> tuple[Camera, ...]:
    """Place cameras like Human3.6M's evenly on a circle, all looking at its axis.

    Args:
        count: Number of cameras; the first stands at an azimuth of 45 degrees.
        radius: Distance from the vertical axis through the world's origin, metres.
        height: Height of the optical centres, metres.
        target_height: Height of the point that they look at, metres.
        focal: Focal length, pixels.
        size: Width and height of the images, pixels.
    """
    return tuple(
        _looking_at_axis(
            f'cam{i}',
            math.radians(45) + 2 * math.pi * i / count,
            radius,
            height,
            target_height,
            focal,
            size,
        )
        for i in range(count)
    )


def _looking_at_axis(
    name: str,
    azimuth: float,
    radius: float,
    height: float,
    target_height: float,
    focal: float,
    size: int,
) -> Camera:
    position = (radius * math.cos(azimuth), radius * math.sin(azimuth), height)
    forward = torch.tensor(
        [-position[0], -position[1], target_height - height], dtype=torch.float64
    )
    forward = forward / forward.norm()
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    right = torch.linalg.cross(forward, up)
    right = right / right.norm()
    down = torch.linalg.cross(forward, right)
    rotation = torch.stack([right, down, forward]).tolist()
    return Camera(
        name=name,
        rotation=tuple(tuple(row) for row in rotation),
        position=position,
        focal=(focal, focal),
        centre=(size / 2, size / 2),
        width=size,
        height=size,
    )


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Turn unit quaternions (w, x, y, z) into rotation matrices.

    Args:
        quaternion: (..., 4).

    Returns:
        (..., 3, 3).
    """
    w, x, y, z = quaternion.unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
