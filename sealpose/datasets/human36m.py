"""Human3.6M in the files of VideoPose3D, by its standard protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from sealpose.datasets.h36m_cameras import h36m_cameras, project_clip
from sealpose.datasets.h36m_layouts import select_keypoints
from sealpose.datasets.h36m_protocol import (
    ACTIONS,
    LEFT_OUT,
    MOVING_JOINTS,
    action_of,
    compare_with_official,
    split_subjects,
)
from sealpose.datasets.mocap_npz import MocapNpzDataset
from sealpose.datasets.sequences import PoseSequence
from sealpose.geometry.camera import Camera
from sealpose.registry import DATASETS
from sealpose.skeletons import H36M17

# Distance from the pelvis to the joint that is farthest from it, metres: for any pose
# of any person, and a long way from millimetres.
REACH = (0.2, 3.0)
# No person is so close to a corner of the image for a whole clip.
LEAST_PIXELS = 20


@DATASETS.register_module()
class Human36M(MocapNpzDataset):
    """Human3.6M: train on S1 5 6 7 8, test on S9 and S11, 17 joints, 50 Hz.

    The protocol has no validation split; ``val`` is the test split, as in the published
    codes. Sub-actions such as ``Walking 1`` count as their action. A 2D track that is
    longer than its motion capture is cut at its end. ``Directions`` of S11, whose video
    is corrupt, is left out. Where there is no file of the true 2D keypoints, they are
    projected from the 3D positions. The number of frames is compared with that of the
    literature. docs/datasets/human36m.md tells more.

    Source: D. Pavllo et al., 3D human pose estimation in video with temporal
    convolutions and semi-supervised training, CVPR 2019.

    Args:
        data_root: Folder with ``data_3d_h36m.npz`` and ``data_2d_h36m_*.npz``.
        subjects: Split to subjects, where they are not the standard ones.
        actions: Read only these of the 15 actions; all if None.
        downsample: Keep every n-th frame of each sequence.
        **kwargs: ``keypoints`` (``gt``, ``cpn_ft_h36m_dbb`` or another
            ``data_2d_h36m_*.npz``), ``split`` (``train``, ``val`` or ``test``) and the
            window, see :class:`MocapNpzDataset`; ``skeleton`` may be ``h36m16``, which
            has no nose, as the stacked-hourglass keypoints.
    """

    file_stem = 'h36m'
    how_to_obtain = (
        'The licence of Human3.6M forbids passing its files on: register at '
        'vision.imar.ro/human3.6m, download the poses (D3 Positions), and run: python '
        'tools/dataset_converters/h36m.py SRC data/h36m --with-2d; the scripts of '
        'facebookresearch/VideoPose3D make the same files, its DATASETS.md links the '
        'detections (cpn_ft_h36m_dbb).'
    )

    def __init__(
        self,
        data_root: str = 'data/h36m',
        subjects: Mapping[str, Sequence[str]] | None = None,
        actions: Sequence[str] | None = None,
        downsample: int = 1,
        **kwargs: Any,
    ) -> None:
        unknown = set(actions or ()) - set(ACTIONS)
        if unknown or (actions is not None and not actions):
            raise ValueError(
                f'Human36M, actions: expected some of {", ".join(ACTIONS)}, got '
                f'{", ".join(sorted(unknown)) or "none"}'
            )
        if downsample < 1:
            raise ValueError(f'downsample must be 1 or more, got {downsample}')
        self._subjects = split_subjects(kwargs.get('split', 'train'), subjects)
        self.actions = tuple(actions) if actions else ACTIONS
        self.downsample = downsample
        kwargs.setdefault('skeleton', 'h36m17')
        super().__init__(data_root, **kwargs)
        changes = {'subjects': subjects, 'actions': actions, 'downsample': downsample}
        settings = [name for name, value in changes.items() if value not in (None, 1)]
        compare_with_official(self.split, self.store.sequences, settings)

    def subjects(self, metadata: dict) -> Sequence[str]:
        """Return the subjects of the split."""
        return self._subjects

    def cameras(self, subject: str, metadata: dict) -> Sequence[Camera]:
        """Return the four calibrated cameras of a subject."""
        return h36m_cameras(subject)

    def action(self, clip: str, metadata: dict) -> str:
        """Return the action of a sub-action: ``Walking`` for ``Walking 1``."""
        return action_of(clip)

    def wants(self, subject: str, clip: str) -> bool:
        """Leave out other actions, and the clip whose video is corrupt."""
        return (subject, clip) != LEFT_OUT and action_of(clip) in self.actions

    def select_joints(self, world: np.ndarray) -> np.ndarray:
        """Keep the joints of the skeleton, (T, 32, 3) → (T, J, 3)."""
        if world.shape[1] != 32:
            raise ValueError(
                f'{self.path_3d}: expected the 32 joints of the release, found '
                f'{world.shape[1]}'
            )
        names = self.skeleton.joint_names
        if not set(names) <= set(H36M17.joint_names):
            raise ValueError(
                'Human36M comes in the skeletons h36m17 and h36m16, not '
                f'{self.skeleton.name!r}'
            )
        world = world[:, [MOVING_JOINTS[H36M17.index(name)] for name in names]]
        _check_metres(world, self.path_3d)
        return world

    def select_keypoints(self, track: np.ndarray, metadata: dict) -> np.ndarray:
        """Bring the 2D joints of the file, (T, K, 2), to those of the skeleton."""
        _check_pixels(track, self.path_2d)
        try:
            return select_keypoints(track, metadata, self.skeleton)
        except ValueError as error:
            raise ValueError(f'{self.path_2d}: {error}') from None

    def source_files(self) -> list[Path]:
        """Return the files; the true 2D keypoints need none."""
        if self.keypoints == 'gt' and not self.path_2d.is_file():
            return [self.path_3d]
        return [self.path_3d, self.path_2d]

    def read_keypoints(self, world: dict) -> tuple[dict, dict]:
        """Read the 2D file; without one, see the 3D positions with the cameras."""
        if self.path_2d in self.source_files():
            return super().read_keypoints(world)
        print_log(
            f'{self.path_2d} is not there: the true 2D keypoints are projected from '
            f'{self.path_3d.name}, through the lenses of the data set',
            logger='current',
        )
        pixels = {
            subject: {
                clip: project_clip(positions, subject)
                for clip, positions in _clips(world, subject)
                if self.wants(subject, clip)
            }
            for subject in self._subjects
        }
        return pixels, {}

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read every clip of the split from every camera, at the lower frame rate."""
        every = slice(None, None, self.downsample)
        for sequence in super().load_sequences():
            yield replace(
                sequence,
                keypoints_2d=sequence.keypoints_2d[every],
                keypoints_3d=sequence.keypoints_3d[every],
            )


def _clips(world: Any, subject: str) -> list[tuple[str, np.ndarray]]:
    """Return the clips that can be projected; what is malformed is named later."""
    clips = world.get(subject) if isinstance(world, dict) else None
    return [
        (name, positions)
        for name, positions in (clips.items() if isinstance(clips, dict) else ())
        if getattr(positions, 'shape', ())[1:] == (32, 3)
        and positions.dtype.kind == 'f'
    ]


def _check_pixels(track: np.ndarray, path: Path) -> None:
    """Refuse keypoints, (T, K, 2), that were normalised already."""
    largest = np.abs(track[::10]).max(initial=0.0)
    if 0 < largest < LEAST_PIXELS:
        raise ValueError(
            f'{path}: the largest coordinate of a clip is {largest:.3g}, expected '
            'pixels of images 1000 wide'
        )


def _check_metres(world: np.ndarray, path: Path) -> None:
    """Refuse other units; (T, J, 3), the root first."""
    frames = world[::10]
    distances = np.linalg.norm(frames - frames[:, :1], axis=-1)
    reach = np.median(distances.max(-1)) if len(frames) else 1.0
    if np.isfinite(reach) and not REACH[0] < reach < REACH[1]:
        raise ValueError(
            f'{path}: the joint farthest from the pelvis is {reach:.3g} away, expected '
            f'{REACH[0]} to {REACH[1]} metres; the positions seem to have another '
            'unit: VideoPose3D divides the millimetres of the release by 1000'
        )
