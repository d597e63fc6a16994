"""What happens to a batch between the loader and the pose-net."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from sealpose.geometry.flip import flip_pose
from sealpose.registry import MODELS, TRANSFORMS
from sealpose.skeletons import get_skeleton
from sealpose.skeletons.build import build_for_skeleton


@MODELS.register_module()
class PoseDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and, in training, mirrors and disturbs its windows.

    The whole batch is augmented at once, on the device, from the main random stream:
    so a resumed run repeats it exactly.

    Args:
        skeleton: Name of the skeleton.
        flip_prob: Share of training windows that are mirrored.
        augmentations: Configs of transforms of the 2D keypoints, applied in order to
            every training batch, after the flip.
    """

    def __init__(
        self,
        skeleton: str,
        flip_prob: float = 0.0,
        augmentations: Sequence[dict] = (),
    ) -> None:
        super().__init__()
        self.mirror = get_skeleton(skeleton).mirror
        self.flip_prob = flip_prob
        self.augmentations = [
            build_for_skeleton(TRANSFORMS, config, skeleton) for config in augmentations
        ]

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict:
        """Prepare a batch; see :class:`WindowDataset` for its entries."""
        data = self.cast_data(data)
        if training and self.flip_prob:
            data = self._flip_some(data)
        if training and self.augmentations:
            data = {**data, 'keypoints_2d': self._augment(data['keypoints_2d'])}
        return data

    def _augment(self, keypoints_2d: Tensor) -> Tensor:
        # From the main random stream, which a resumed run repeats.
        seed = int(torch.randint(2**62, ()))
        generator = torch.Generator(keypoints_2d.device).manual_seed(seed)
        for transform in self.augmentations:
            keypoints_2d = transform(keypoints_2d, generator)
        return keypoints_2d

    def _flip_some(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        keypoints = data['keypoints_2d']
        chosen = torch.rand(len(keypoints), device=keypoints.device) < self.flip_prob
        flipped = {
            name: torch.where(
                chosen[:, None, None, None],
                flip_pose(data[name], self.mirror),
                data[name],
            )
            for name in ('keypoints_2d', 'keypoints_3d')
        }
        return {**data, **flipped}
