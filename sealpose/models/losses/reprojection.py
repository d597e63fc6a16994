"""A prediction must project to the keypoints that it was made from."""

import torch
from torch import Tensor, nn

from sealpose.geometry.reprojection import reprojection_error
from sealpose.registry import LOSSES
from sealpose.skeletons import Skeleton


@LOSSES.register_module()
class ReprojectionLoss(nn.Module):
    """Mean distance of the projected prediction from the 2D keypoints, on the screen.

    Needs no truth. Without a focal length the camera is weakly perspective: x and y of
    each frame are scaled and shifted to fit the keypoints best (least squares, in
    closed form), and what is left counts. Then even the true pose has a loss, some
    percent of a person's size, because near limbs look larger. With a focal length the
    projection is perspective around the centre of the image, and the place of the
    person is what is fitted, by least squares of the errors times the depth (closed
    form); the truth then has no loss. The scale of the pose is free either way. The
    unit is half the width of the image; weight 2 makes it about metres for a person
    5 m from the cameras of Human3.6M.

    Source: the weak-perspective projection of B. Wandt and B. Rosenhahn, RepNet, CVPR
    2019, whose camera a network predicts; on unlabelled frames beside labelled ones D.
    Pavllo et al., CVPR 2019, with a network for the place.

    Args:
        weight: Factor of the loss.
        focal: Focal length in half image widths: twice that in pixels, divided by the
            width; 2.29 for Human3.6M and the cameras of CMUMocap and SampleMotion.
    """

    needs_truth = False
    inputs = ('keypoints_2d',)

    def __init__(self, weight: float = 1.0, focal: float | None = None) -> None:
        super().__init__()
        self.weight = weight
        self.focal = focal

    def forward(
        self, pred: Tensor, target: Tensor, skeleton: Skeleton, keypoints_2d: Tensor
    ) -> Tensor:
        """Return the weighted mean distance; ``keypoints_2d`` is (B, T', J, 2)."""
        error = reprojection_error(pred, keypoints_2d, self.focal)
        return self.weight * torch.linalg.vector_norm(error, dim=-1).mean()
