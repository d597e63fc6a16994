"""CMU motion capture, as tools/dataset_converters/cmu_mocap.py writes it."""

from collections.abc import Sequence
from typing import Any

from sealpose.datasets.mocap_npz import MocapNpzDataset
from sealpose.geometry.camera import Camera
from sealpose.registry import DATASETS


@DATASETS.register_module()
class CMUMocap(MocapNpzDataset):
    """Clips of the CMU Graphics Lab Motion Capture Database seen by virtual cameras.

    Cameras, actions and splits are those that the converter wrote beside the 2D
    keypoints. Source: mocap.cs.cmu.edu, free for all uses.

    Args:
        data_root: Folder with ``data_3d_cmu.npz`` and ``data_2d_cmu_gt.npz``.
        split: ``train``, ``val`` or ``test``.
        window: See :class:`MocapNpzDataset`.
    """

    file_stem = 'cmu'
    how_to_obtain = (
        'Download ASF/AMC or BVH files of the CMU database (mocap.cs.cmu.edu) and run: '
        'python tools/dataset_converters/cmu_mocap.py SRC data/cmu'
    )

    def __init__(self, data_root: str = 'data/cmu', **kwargs: Any) -> None:
        kwargs.setdefault('skeleton', 'h36m17')
        super().__init__(data_root, **kwargs)

    def subjects(self, metadata: dict) -> Sequence[str]:
        """Return the subjects of the split that the converter wrote."""
        splits = self._metadata(metadata, 'split')
        if self.split not in splits:
            raise ValueError(
                f'{self.path_2d} has the splits {", ".join(splits) or "(none)"}, not '
                f'{self.split!r}; a split.json in the source folder of the converter '
                'defines them'
            )
        self._check_splits(splits)
        return splits[self.split]

    def cameras(self, subject: str, metadata: dict) -> Sequence[Camera]:
        """Return the virtual cameras."""
        return [Camera(**camera) for camera in self._metadata(metadata, 'cameras')]

    def action(self, clip: str, metadata: dict) -> str:
        """Return the action label of a clip."""
        actions = self._metadata(metadata, 'actions')
        if clip not in actions:
            raise ValueError(f'{self.path_2d}, metadata, actions: no entry {clip!r}')
        return actions[clip]

    def _check_splits(self, splits: dict) -> None:
        for other in ('val', 'test'):
            shared = sorted(set(splits.get('train', ())) & set(splits.get(other, ())))
            if shared:
                raise ValueError(
                    f'{self.path_2d}, metadata, split: {", ".join(shared)} is in train '
                    f'and in {other}; a subject must be in one of them alone'
                )

    def _metadata(self, metadata: dict, key: str) -> Any:
        if key not in metadata:
            raise ValueError(
                f'{self.path_2d}, metadata: no entry {key!r}; convert the data again '
                'with tools/dataset_converters/cmu_mocap.py'
            )
        return metadata[key]
