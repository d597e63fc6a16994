"""The rotation that turns one set of vectors into another best, in closed form.

Horn, "Closed-form solution of absolute orientation using unit quaternions", JOSA A
1987; the largest eigenvalue from the characteristic polynomial as in Theobald, "Rapid
calculation of RMSDs using a quaternion-based characteristic polynomial", Acta
Crystallographica A 2005. Matrices come first and the batch last, (3, 3, ...), so that
every step is one operation on contiguous memory (``vector_norm`` over the first axes
is many times slower than a sum of squares).
"""

import torch
from torch import Tensor

from sealpose.geometry.camera import quaternion_to_matrix

NEWTON_STEPS = 16
# Below this slope of the polynomial at its largest root (the product of the distances
# to the other roots) two of them are so close that Newton is slow and digits are lost.
WELL_CONDITIONED = 1e-3
# No eigenvalue exceeds that times the Frobenius norm of the 3x3 matrix.
LARGEST = 3**0.5


def best_rotation(covariance: Tensor) -> Tensor:
    """Find the rotation R, never a reflection, that maximises ``sum y · R p``.

    The maximum is the largest eigenvalue of Horn's 4x4 matrix, its eigenvector the
    quaternion of R. The few matrices whose two largest eigenvalues nearly coincide are
    left to ``eigh`` (to know whether there are any is the only thing that a GPU is
    waited for). Where they do coincide (all p or all y on a line, a mirror image of a
    body that is as deep as it is wide), several rotations are equally good, and one of
    them is found.

    Args:
        covariance: (3, 3, ...) float64, ``sum p_i y_k`` at [i, k], of any scale.

    Returns:
        (3, 3, ...). NaN where the covariance is not finite.
    """
    norm = covariance.square().sum((0, 1)).sqrt()
    matrix = _horn_matrix(covariance / norm.clamp_min(torch.finfo(norm.dtype).tiny))
    projector, slope = _projector(matrix)
    # Any column is the quaternion; the longest one has the most digits.
    diagonal = projector.diagonal().movedim(-1, 0)
    column = diagonal.argmax(0).expand(4, 1, *diagonal.shape[1:])
    quaternion = projector.gather(1, column)[:, 0]
    quaternion = quaternion / quaternion.square().sum(0).sqrt()
    difficult = slope < WELL_CONDITIONED
    if difficult.any():
        hard = matrix[..., difficult].movedim(-1, 0)
        quaternion[:, difficult] = torch.linalg.eigh(hard).eigenvectors[..., -1].T
    return quaternion_to_matrix(quaternion.movedim(0, -1)).movedim((-2, -1), (0, 1))


def _horn_matrix(m: Tensor) -> Tensor:
    """Return the symmetric 4x4 matrix without trace whose eigenvector is sought."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = m
    rows = (
        xx + yy + zz, yz - zy, zx - xz, xy - yx,
        yz - zy, xx - yy - zz, xy + yx, zx + xz,
        zx - xz, xy + yx, yy - xx - zz, yz + zy,
        xy - yx, zx + xz, yz + zy, zz - xx - yy,
    )  # fmt: skip
    return torch.stack(rows).unflatten(0, (4, 4))


def _projector(n: Tensor) -> tuple[Tensor, Tensor]:
    """Return a multiple of the projector onto the eigenvector of the largest value.

    It is the adjugate of ``λ - n``, squared, since what a λ a little too large leaves
    of the other eigenvectors is squared by that, too.

    Returns:
        (4, 4, ...), and the slope of the characteristic polynomial at λ, (...).
    """
    square = _product(n, n)
    cube = _product(square, n)
    # λ⁴ + c2 λ² + c1 λ + c0, the coefficients from the traces of the powers.
    trace = _trace(square)
    c2 = -trace / 2
    c1 = -_trace(cube) / 3
    c0 = (trace.square() / 2 - square.square().sum((0, 1))) / 4
    top, slope = _largest_root(c2, c1, c0)
    adjugate = cube + top * square + (top.square() + c2) * n
    adjugate.diagonal().add_(((top.square() + c2) * top + c1)[..., None])
    return _product(adjugate, adjugate), slope


def _largest_root(c2: Tensor, c1: Tensor, c0: Tensor) -> tuple[Tensor, Tensor]:
    """Find the largest root of ``λ⁴ + c2 λ² + c1 λ + c0``, and the slope there."""
    root = torch.full_like(c2, LARGEST)
    for _ in range(NEWTON_STEPS):
        square = root.square()
        value = (square + c2) * square + c1 * root + c0
        slope = (4 * square + 2 * c2) * root + c1
        # All roots are real, so that Newton comes from above without overshooting and
        # both are positive, but for rounding.
        root = root - value.clamp_min(0) / slope.clamp_min(WELL_CONDITIONED / 10)
    return root, slope


def _product(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, :, None] * b[None]).sum(1)


def _trace(a: Tensor) -> Tensor:
    return a.diagonal().sum(-1)
