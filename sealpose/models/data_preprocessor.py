"""What happens to a batch between the loader and the pose-net."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from sealpose.geometry.flip import flip_pose
from sealpose.registry import MODELS
from sealpose.skeletons import get_skeleton


@MODELS.register_module()
class PoseDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and, in training, mirrors some of its windows.

    The whole batch is augmented at once, on the device, from the main random stream:
    so a resumed run repeats it exactly.

    Args:
        skeleton: Name of the skeleton.
        flip_prob: Share of training windows that are mirrored.
    """

    def __init__(self, skeleton: str, flip_prob: float = 0.0) -> None:
        super().__init__()
        self.mirror = get_skeleton(skeleton).mirror
        self.flip_prob = flip_prob

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict:
        """Prepare a batch; see :class:`WindowDataset` for its entries."""
        data = self.cast_data(data)
        if training and self.flip_prob:
            data = self._flip_some(data)
        return data

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
