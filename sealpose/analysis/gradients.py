"""Where the energy pulls a prediction, and whether that is towards better poses."""

from collections.abc import Callable

import torch
from torch import Tensor

from sealpose.analysis.energy_field import EnergyField


def metric_gradient(metric: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """Return the gradient of each frame's metric by its pose.

    Args:
        metric: (N, J, 3) metres to (N,), each frame on its own.
        y: (N, J, 3), metres.

    Returns:
        (N, J, 3), unit of the metric per metre.
    """
    poses = y.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(metric(poses).sum(), poses)
    return gradient


def norms(gradient: Tensor) -> Tensor:
    """Return the norm of each frame's gradient, over all its coordinates.

    Args:
        gradient: (N, J, 3).

    Returns:
        (N,) float64: squares of small gradients would vanish in single precision.
    """
    return torch.linalg.vector_norm(gradient.double(), dim=(-2, -1))


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of the gradients of each frame.

    Args:
        a: (N, J, 3).
        b: (N, J, 3).

    Returns:
        (N,); NaN where one of them is zero.
    """
    a, b = (v / norms(v)[:, None, None] for v in (a, b))
    return (a * b).sum((-2, -1))


def descend(field: EnergyField, y: Tensor, length: float, steps: int) -> Tensor:
    """Follow the energy downhill in steps of equal length.

    Args:
        field: The energy.
        y: (N, J, 3), metres; where to start.
        length: Of a step: how far the joints of a frame move, root mean square, metres.
        steps: How many.

    Returns:
        (N, J, 3), metres. A frame without gradient stays where it is.
    """
    for _ in range(steps):
        y = y - length * unit_steps(field.gradient(y))
    return y


def unit_steps(direction: Tensor) -> Tensor:
    """Scale each frame's direction so that its joints move by 1, root mean square.

    Args:
        direction: (N, J, 3).

    Returns:
        (N, J, 3); zero where there is no direction.
    """
    rms = (norms(direction) / direction.shape[-2] ** 0.5)[:, None, None]
    return (direction / rms).nan_to_num(0.0, 0.0, 0.0).to(direction)


def random_steps(y: Tensor, seed: int = 0) -> Tensor:
    """Draw a direction for each frame, all as likely, to hold the energy's against.

    Args:
        y: (N, J, 3), for its shape.
        seed: Chooses the directions.

    Returns:
        (N, J, 3), of the length of :func:`unit_steps`.
    """
    generator = torch.Generator().manual_seed(seed)
    return unit_steps(torch.randn(y.shape, generator=generator).to(y))
