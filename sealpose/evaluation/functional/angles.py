"""How far the joints are from bent as they should be."""

import torch
from torch import Tensor

from sealpose.evaluation.functional.frame_metric import frame_metric
from sealpose.skeletons import Skeleton


@frame_metric('Angle', unit='°', framewise=True)
def joint_angle_error(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Joint-angle error: mean over all bends of ``|angle of p - angle of y|``.

    A bend is a pair of segments in a row, such as upper arm and forearm: its angle,
    ``atan2(|a × b|, a · b)`` between their directions a and b, is 0 for a straight
    joint and at most 180°. Where several segments leave a joint, each makes a bend with
    the one that enters. Neither place, size nor orientation of the body matters. These
    are the angles that can be read off joint positions. AthletePose3D (Yeung et al.,
    arXiv 2503.07499, CVSports at CVPR 2025) has those of knees and elbows, but reports
    how well their courses over time correlate; the mean error over the whole skeleton
    is ours. The rotations of a body model (MPJAE) are another thing.

    Returns:
        (T,), degrees. The angle of a segment without length is 0.

    Raises:
        ValueError: no two segments of the skeleton are in a row.
    """
    return (_angles(pred, skeleton) - _angles(gt, skeleton)).abs().mean(-1)


def _angles(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Return the angle of every bend, (T, bends), degrees."""
    parents = skeleton.parents
    bends = [
        (parents[middle], middle, child)
        for middle, child in skeleton.segments
        if parents[middle] >= 0
    ]
    if not bends:
        raise ValueError(
            f'skeleton {skeleton.name!r} has no two segments in a row, so there is no '
            'angle to measure; leave Angle out of the metrics'
        )
    first, middle, last = (list(joints) for joints in zip(*bends, strict=True))
    # In float64: the squares of products leave the range of float32 first.
    pose = pose.double()
    incoming = pose[:, middle] - pose[:, first]
    outgoing = pose[:, last] - pose[:, middle]
    across = torch.linalg.cross(incoming, outgoing, dim=-1)
    # Not the arc cosine, which loses half of the digits near straight joints.
    return torch.atan2(
        torch.linalg.vector_norm(across, dim=-1), (incoming * outgoing).sum(-1)
    ).rad2deg()
