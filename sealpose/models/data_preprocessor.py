"""What happens to a batch between the loader and the pose-net."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from sealpose.geometry.flip import flip_pose
from sealpose.models.apart import own_random_stream
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
        # Batches come in pinned memory.
        super().__init__(non_blocking=True)
        self.mirror = get_skeleton(skeleton).mirror
        self.flip_prob = flip_prob
        self.augmentations = [
            build_for_skeleton(TRANSFORMS, config, skeleton) for config in augmentations
        ]

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict:
        """Prepare a batch; see :class:`WindowDataset` for its entries.

        The entry ``labelled`` of few-labels batches stays in main memory: it decides
        which rows are used, and reading it from a GPU would wait for the GPU. Such
        batches also keep the keypoints from before the augmentations, as
        ``undisturbed_2d``. What is drawn for labelled windows, which come first, does
        not depend on the others.
        """
        labelled = data.get('labelled')
        moved = {name: value for name, value in data.items() if name != 'labelled'}
        data = {**data, **self.cast_data(moved)}
        if not training or not (self.flip_prob or self.augmentations):
            return data
        count = None if labelled is None else int(labelled.sum())
        if count is None or count == len(labelled):
            return self._disturb(data)
        known = self._disturb({name: value[:count] for name, value in data.items()})
        with own_random_stream(data['keypoints_2d'].device):
            rest = self._disturb({name: value[count:] for name, value in data.items()})
        return {name: torch.cat([known[name], rest[name]]) for name in known}

    def _disturb(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.flip_prob:
            data = self._flip_some(data)
        if self.augmentations:
            if 'labelled' in data:
                data = {**data, 'undisturbed_2d': data['keypoints_2d']}
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
