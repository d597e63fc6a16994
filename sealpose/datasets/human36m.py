"""Human3.6M in the files of VideoPose3D, by its standard protocol."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from sealpose.datasets.h36m_cameras import EXTRINSICS, INTRINSICS
from sealpose.datasets.mocap_npz import MocapNpzDataset
from sealpose.geometry.camera import Camera, quaternion_to_matrix
from sealpose.registry import DATASETS

SUBJECTS = {
    'train': ('S1', 'S5', 'S6', 'S7', 'S8'),
    'val': ('S9', 'S11'),
    'test': ('S9', 'S11'),
}
# Of the 32 joints of the release, those that move: the 17 of the papers.
MOVING_JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


@DATASETS.register_module()
class Human36M(MocapNpzDataset):
    """Human3.6M: train on S1 5 6 7 8, test on S9 and S11, 17 joints, 50 Hz.

    The protocol has no validation split; ``val`` is the test split, as in the published
    codes. Sub-actions such as ``Walking 1`` count as their action. A 2D track that is
    longer than its motion capture is cut at its end.

    Source: D. Pavllo et al., 3D human pose estimation in video with temporal
    convolutions and semi-supervised training, CVPR 2019.

    Args:
        data_root: Folder with ``data_3d_h36m.npz`` and ``data_2d_h36m_*.npz``.
        keypoints: ``gt``, ``cpn_ft_h36m_dbb``, or another ``data_2d_h36m_*.npz``.
        split: ``train``, ``val`` or ``test``.
        window: See :class:`MocapNpzDataset`.
    """

    file_stem = 'h36m'
    how_to_obtain = (
        'The licence of Human3.6M forbids passing its files on: register at '
        'vision.imar.ro/human3.6m, download the poses, and make both files with the '
        'scripts of facebookresearch/VideoPose3D (its DATASETS.md); the detections '
        '(cpn_ft_h36m_dbb) are linked there too.'
    )

    def __init__(self, data_root: str = 'data/h36m', **kwargs: Any) -> None:
        kwargs.setdefault('skeleton', 'h36m17')
        super().__init__(data_root, **kwargs)

    def subjects(self, metadata: dict) -> Sequence[str]:
        """Return the subjects of the split."""
        if self.split not in SUBJECTS:
            raise ValueError(
                f'Human36M has the splits {", ".join(SUBJECTS)}, not {self.split!r}'
            )
        return SUBJECTS[self.split]

    def cameras(self, subject: str, metadata: dict) -> Sequence[Camera]:
        """Return the four calibrated cameras of a subject."""
        return _cameras(subject)

    def action(self, clip: str, metadata: dict) -> str:
        """Return the action of a sub-action: ``Walking`` for ``Walking 1``."""
        return clip.split(' ')[0]

    def select_joints(self, world: np.ndarray) -> np.ndarray:
        """Keep the 17 joints that move, (T, 32, 3) → (T, 17, 3)."""
        if world.shape[1] != 32:
            raise ValueError(
                f'{self.path_3d}: expected the 32 joints of the release, found '
                f'{world.shape[1]}'
            )
        return world[:, MOVING_JOINTS]


@cache
def _cameras(subject: str) -> tuple[Camera, ...]:
    cameras = []
    for (name, intrinsics), (quaternion, position) in zip(
        INTRINSICS.items(), EXTRINSICS[subject], strict=True
    ):
        focal, centre, radial, tangential, width, height = intrinsics
        orientation = quaternion_to_matrix(
            torch.tensor(quaternion, dtype=torch.float64)
        )
        cameras.append(
            Camera(
                name=name,
                rotation=tuple(map(tuple, orientation.T.tolist())),
                position=tuple(millimetres / 1000 for millimetres in position),
                focal=focal,
                centre=centre,
                width=width,
                height=height,
                radial=radial,
                tangential=tangential,
            )
        )
    return tuple(cameras)
