"""How far the joints are from where they should be.

All take prediction and truth of one sequence, (T, J, 3) metres, root-relative, camera
axes, and the skeleton.
"""

import torch
from torch import Tensor

from sealpose.evaluation.functional.frame_metric import MM_PER_METRE, frame_metric
from sealpose.geometry.alignment import align_scale, align_similarity
from sealpose.skeletons import Skeleton


def _mean_distance_mm(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a - b, dim=-1).mean(-1) * MM_PER_METRE


@frame_metric('MPJPE', unit='mm', framewise=True)
def mpjpe(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean per-joint position error, protocol 1.

    ``mean_j |p_j - y_j|``. The root of the truth is the origin; the prediction is taken
    as it is, its root included, as VideoPose3D does. Ionescu et al., "Human3.6M", PAMI
    2014.

    Returns:
        (T,), millimetres.
    """
    return _mean_distance_mm(pred, gt)


@frame_metric('P-MPJPE', unit='mm', framewise=True)
def p_mpjpe(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """MPJPE after the best similarity transform of each frame, protocol 2.

    ``mean_j |s R p_j + t - y_j|`` with the scale, rotation and translation that fit the
    frame best in the sense of least squares; no reflection. Computed in float64.
    Martinez et al., "A simple yet effective baseline", ICCV 2017.

    Returns:
        (T,), millimetres.
    """
    return _mean_distance_mm(align_similarity(pred, gt), gt.double())


@frame_metric('N-MPJPE', unit='mm', framewise=True)
def n_mpjpe(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """MPJPE after the best scale of each frame about the root, protocol 3.

    ``mean_j |s p_j - y_j|`` with ``s = sum_j p_j · y_j / sum_j p_j · p_j``. The sums in
    float64. Rhodin et al., "Unsupervised geometry-aware representation", ECCV 2018.

    Returns:
        (T,), millimetres.
    """
    pred, gt = pred.double(), gt.double()
    return _mean_distance_mm(align_scale(pred, gt), gt)


@frame_metric('MPJVE', unit='mm/frame')
def mpjve(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean per-joint velocity error: MPJPE of the first differences in time.

    ``mean_j |(p_j(t+1) - p_j(t)) - (y_j(t+1) - y_j(t))|``. Pavllo et al., "3D human
    pose estimation in video" (VideoPose3D), CVPR 2019.

    Returns:
        (T-1,), millimetres per frame.
    """
    return _mean_distance_mm(pred.diff(dim=0), gt.diff(dim=0))
