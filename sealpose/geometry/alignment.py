"""Best fit of one pose to another: similarity (Procrustes) and scale alone."""

import torch
from torch import Tensor

# Stands in for a zero in a denominator whose numerator is zero too.
TINY = 1e-30


def align_similarity(pred: Tensor, target: Tensor) -> Tensor:
    """Fit each pose to its target by scale, rotation and translation.

    Minimises ``sum |s R p + t - y|²`` over rotations R without reflection, so that a
    mirrored pose stays wrong. Flat poses (all joints in a plane, on a line, or in one
    point) are fitted like any other. Umeyama, "Least-squares estimation of
    transformation parameters between two point patterns", PAMI 1991.

    Args:
        pred: (..., J, 3), any unit.
        target: (..., J, 3), the same unit.

    Returns:
        (..., J, 3) float64. A pose with a value that is not finite comes out as NaN.
    """
    pred, target = pred.double(), target.double()
    target_mean = target.mean(-2, keepdim=True)
    p = pred - pred.mean(-2, keepdim=True)
    y = target - target_mean
    # One pose that is not finite would make the SVD of the whole batch fail.
    covariance = (p.mT @ y).nan_to_num(0, 0, 0)
    u, singular, vh = torch.linalg.svd(covariance)
    sign = torch.ones_like(singular)
    sign[..., 2] = torch.linalg.det(u @ vh).sign()
    rotation = (u * sign[..., None, :]) @ vh
    power = p.square().sum((-2, -1)).clamp_min(TINY)
    scale = (singular * sign).sum(-1) / power
    return scale[..., None, None] * (p @ rotation) + target_mean


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
    power = pred.square().sum((-2, -1), keepdim=True).clamp_min(TINY)
    return overlap / power * pred
