"""The incomplete 2D keypoints of H3WB's second task."""

import torch
from torch import Generator, Tensor

from sealpose.datasets.transforms.base import MASKED, KeypointTransform
from sealpose.registry import TRANSFORMS
from sealpose.skeletons import Skeleton, get_skeleton

# With what probability a frame loses: a quarter of its joints, each by itself; its
# face; its left hand; its right hand.
SHARES = (0.4, 0.2, 0.2, 0.2)
JOINT_PROBABILITY = 0.25
PARTS = ('face', 'left_hand', 'right_hand')


@TRANSFORMS.register_module()
class IncompleteKeypoints(KeypointTransform):
    """Masks joints of every frame by the official strategy of H3WB.

    Of all frames, 40 % lose each joint with a probability of a quarter, 20 % lose the
    face, 20 % the left hand and 20 % the right hand. A lost joint lies at the centre of
    the screen.

    Source: wholebody3d/wholebody3d, README, the task I2D to 3D.

    Args:
        skeleton: Skeleton with the joint sets ``face``, ``left_hand``, ``right_hand``.
    """

    def __init__(self, skeleton: str | Skeleton = 'coco_wholebody133') -> None:
        skeleton = get_skeleton(skeleton)
        parts = torch.zeros(len(PARTS), skeleton.num_joints, dtype=torch.bool)
        for row, part in enumerate(PARTS):
            parts[row, list(skeleton.joint_set(part))] = True
        self._parts = parts

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Mask joints; see the base class."""
        shape = keypoints_2d.shape[:3]
        device = keypoints_2d.device
        kind = torch.multinomial(
            torch.tensor(SHARES, device=device),
            shape[0] * shape[1],
            replacement=True,
            generator=generator,
        ).view(shape[:2])
        scattered = torch.rand(shape, generator=generator, device=device)
        whole = self._parts.to(device)[(kind - 1).clamp(min=0)]
        lost = torch.where((kind == 0)[..., None], scattered < JOINT_PROBABILITY, whole)
        return keypoints_2d.masked_fill(lost[..., None], MASKED)
