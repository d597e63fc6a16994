"""What is left of 2D keypoints when a pose is projected where it fits them best."""

from torch import Tensor

from sealpose.geometry.alignment import TINY, align_scale

# Nobody stands closer to the camera, metres; keeps wrong poses from dividing by zero.
NEAREST = 1.0


def reprojection_error(
    pose: Tensor, keypoints_2d: Tensor, focal: float | None = None
) -> Tensor:
    """Errors of the projected pose on the screen.

    Without a focal length the camera is weakly perspective: x and y are scaled and
    shifted to fit the keypoints best (least squares, in closed form). With one the
    projection is perspective around the centre of the image, and the place of the
    person is what is fitted, by least squares of the errors times the depth (closed
    form). The scale of the pose is free either way.

    Args:
        pose: (..., J, 3), metres, root-relative, camera axes.
        keypoints_2d: (..., J, 2), screen-normalised.
        focal: Focal length in half image widths.

    Returns:
        (..., J, 2), half image widths.
    """
    if focal is None:
        centred = _centred(keypoints_2d)
        return align_scale(_centred(pose[..., :2]), centred) - centred
    # u (Z + z) = f X + a, with the depth z of the root and the shift a unknown.
    z_relative = pose[..., 2:]
    wanted = _centred(focal * pose[..., :2] - keypoints_2d * z_relative)
    screen = _centred(keypoints_2d)
    overlap = (wanted * screen).sum((-2, -1), keepdim=True)
    depth = overlap / screen.square().sum((-2, -1), keepdim=True).clamp_min(TINY)
    return (wanted - depth * screen) / (depth + z_relative).clamp_min(NEAREST)


def _centred(points: Tensor) -> Tensor:
    return points - points.mean(-2, keepdim=True)
