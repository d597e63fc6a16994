"""Left/right mirroring of poses."""

from collections.abc import Sequence

from torch import Tensor


def flip_pose(keypoints: Tensor, mirror: Sequence[int]) -> Tensor:
    """Mirror a pose about the vertical plane x = 0 and exchange left and right.

    Args:
        keypoints: (..., J, C) with x as the first channel; 2D screen-normalised or 3D
            camera axes.
        mirror: For each joint the one on the other side (``Skeleton.mirror``).

    Returns:
        (..., J, C), a new tensor.
    """
    flipped = keypoints[..., list(mirror), :]
    sign = keypoints.new_ones(keypoints.shape[-1])
    sign[0] = -1
    return flipped * sign
