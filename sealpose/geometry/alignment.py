"""Best fit of one pose to another: similarity (Procrustes) and scale alone."""

import torch
from torch import Tensor

from sealpose.geometry.rotation_fit import best_rotation

# Stands in for a zero in a denominator whose numerator is zero too.
TINY = 1e-30


def align_similarity(pred: Tensor, target: Tensor) -> Tensor:
    """Fit each pose to its target by scale, rotation and translation.

    Minimises ``sum |s R p + t - y|²`` over rotations R without reflection, so that a
    mirrored pose stays wrong. Flat poses (all joints in a plane, on a line) are fitted
    like any other; a pose in one point comes to lie on the mean of its target. Where
    several rotations fit equally well, the pose takes one of them. Umeyama,
    "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 1991; the rotation by Horn's quaternions.

    In float64, whatever the poses are in: the rotation depends on products of
    coordinates, whose rounding in float32 would show.

    Args:
        pred: (..., J, 3), any unit.
        target: (..., J, 3), the same unit.

    Returns:
        (..., J, 3) float64. A pose with a value that is not finite comes out as NaN.
    """
    p, y = _coordinates_first(pred), _coordinates_first(target)
    target_mean = y.mean(-1, keepdim=True)
    p = p - p.mean(-1, keepdim=True)
    y = y - target_mean
    covariance = torch.stack([(a * y).sum(-1) for a in p])
    rotation = best_rotation(covariance)
    power = p.square().sum((0, -1)).clamp_min(torch.finfo(p.dtype).tiny)
    scale = (rotation * covariance.transpose(0, 1)).sum((0, 1)) / power
    scaled = (scale * rotation).contiguous()[..., None]
    turned = torch.stack([(row * p).sum(0) for row in scaled])
    return (turned + target_mean).movedim(0, -1).contiguous()


def _coordinates_first(pose: Tensor) -> Tensor:
    """Bring (..., J, 3) to contiguous (3, ..., J) float64."""
    return pose.double().movedim(-1, 0).contiguous()


def align_scale(pred: Tensor, target: Tensor) -> Tensor:
    """Scale each pose about the origin so that it fits its target best.

    ``s = sum(p · y) / sum(p · p)``, the least-squares factor; it may be negative.

    Args:
        pred: (..., J, 3), any unit, root-relative.
        target: (..., J, 3), the same unit, root-relative.

    Returns:
        (..., J, 3).
    """
    overlap = (pred * target).sum((-2, -1), keepdim=True)
    power = pred.square().sum((-2, -1), keepdim=True)
    return overlap / power.clamp_min(torch.finfo(power.dtype).tiny) * pred
