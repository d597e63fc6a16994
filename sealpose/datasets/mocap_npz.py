"""Data sets in the pair of npz files that VideoPose3D introduced."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sealpose.datasets.readers.npz import read_npz
from sealpose.datasets.sequences import PoseSequence, view_sequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import Camera


class MocapNpzDataset(WindowDataset):
    """Windows over ``data_3d_<set>.npz`` and ``data_2d_<set>_<keypoints>.npz``.

    ``positions_3d`` holds subject → clip → (T, J, 3) in metres and world axes,
    ``positions_2d`` subject → clip → one (T', J, 2) array in pixels per camera. A
    subclass names the files, the subjects of a split, the cameras and the actions.

    Args:
        data_root: Folder of the two files.
        keypoints: Which 2D keypoints: ``gt``, or a detector's name in the file name.
        split: Name of the split.
        window: ``skeleton``, ``input_frames``, ``output_frames`` and ``stride`` of
            :class:`WindowDataset`.

    Raises:
        FileNotFoundError: a file is missing; says where it is expected and how to get
            it.
        ValueError: a malformed file; names the file, the key and what was expected.
    """

    file_stem: ClassVar[str]
    how_to_obtain: ClassVar[str]

    def __init__(
        self,
        data_root: str,
        keypoints: str = 'gt',
        split: str = 'train',
        **window: Any,
    ) -> None:
        self.data_root = Path(data_root)
        self.keypoints = keypoints
        self.split = split
        super().__init__(**window)

    @property
    def path_3d(self) -> Path:
        """File of the 3D positions."""
        return self.data_root / f'data_3d_{self.file_stem}.npz'

    @property
    def path_2d(self) -> Path:
        """File of the 2D keypoints."""
        return self.data_root / f'data_2d_{self.file_stem}_{self.keypoints}.npz'

    @abstractmethod
    def subjects(self, metadata: dict) -> Sequence[str]:
        """Return the subjects of the split."""

    @abstractmethod
    def cameras(self, subject: str, metadata: dict) -> Sequence[Camera]:
        """Return the cameras in the order of the 2D tracks."""

    @abstractmethod
    def action(self, clip: str, metadata: dict) -> str:
        """Return what the results of a clip are grouped by."""

    def select_joints(self, world: np.ndarray) -> np.ndarray:
        """Reduce the joints in the file, (T, K, 3), to those of the skeleton."""
        return world

    def select_keypoints(self, track: np.ndarray, metadata: dict) -> np.ndarray:
        """Bring the 2D joints in the file, (T', K, 2), to those of the skeleton."""
        return track

    def wants(self, subject: str, clip: str) -> bool:
        """Whether a clip belongs to the data set."""
        return True

    def read_keypoints(self, world: dict) -> tuple[dict, dict]:
        """Read the 2D file: subject → clip → tracks, and its metadata.

        Args:
            world: Subject → clip → (T, K, 3), for data sets that can project it.
        """
        pixels, metadata = read_npz(self.path_2d, 'positions_2d', 'metadata')
        _expect(metadata, dict, self.path_2d, 'metadata')
        return pixels, metadata

    def source_files(self) -> list[Path]:
        """Return both files; a subclass may do without the second."""
        return [self.path_3d, self.path_2d]

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read every clip of the split from every camera."""
        self._check_files()
        (world,) = read_npz(self.path_3d, 'positions_3d')
        pixels, metadata = self.read_keypoints(world)
        for subject in self.subjects(metadata):
            clips_3d = _entry(world, subject, dict, self.path_3d, 'positions_3d')
            clips_2d = _entry(pixels, subject, dict, self.path_2d, 'positions_2d')
            for clip in [c for c in clips_3d if self.wants(subject, c)]:
                yield from self._views(subject, clip, clips_3d, clips_2d, metadata)
                # Large files: what has been passed on need not stay.
                del clips_3d[clip], clips_2d[clip]

    def _views(
        self, subject: str, clip: str, clips_3d: dict, clips_2d: dict, metadata: dict
    ) -> list[PoseSequence]:
        world = _entry(clips_3d, clip, np.ndarray, self.path_3d, subject)
        _check_array(world, 3, f'{self.path_3d}, {subject}/{clip}')
        tracks = _entry(clips_2d, clip, (list, np.ndarray), self.path_2d, subject)
        cameras = self.cameras(subject, metadata)
        if len(tracks) != len(cameras):
            raise ValueError(
                f'{self.path_2d}, {subject}/{clip}: expected one 2D track for each of '
                f'{len(cameras)} cameras, found {len(tracks)}'
            )
        for track in tracks:
            _check_array(track, 2, f'{self.path_2d}, {subject}/{clip}')
        return [
            view_sequence(
                self.select_joints(world),
                self.select_keypoints(track, metadata),
                camera,
                self.skeleton.origin_joints,
                subject=subject,
                action=self.action(clip, metadata),
                clip=clip,
            )
            for camera, track in zip(cameras, tracks, strict=True)
        ]

    def _check_files(self) -> None:
        missing = [path for path in self.source_files() if not path.is_file()]
        if not missing:
            return
        listed = '\n  '.join(str(path) for path in missing)
        raise FileNotFoundError(
            f'{type(self).__name__} needs files that are not there:\n  {listed}\n'
            f'{self.how_to_obtain}\nConfigs that need no file at all: '
            'configs/baseline/videopose_sample.py, configs/seal/videopose_sample.py'
        )


def _entry(parent: Any, key: str, kind: Any, path: Path, where: str) -> Any:
    _expect(parent, dict, path, where)
    if key not in parent:
        present = ', '.join(map(str, parent))
        raise ValueError(f'{path}, {where}: no entry {key!r}; present: {present}')
    _expect(parent[key], kind, path, f'{where}, {key!r}')
    return parent[key]


def _expect(value: Any, kind: Any, path: Path, where: str) -> None:
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = ' or '.join(k.__name__ for k in kinds)
        raise ValueError(
            f'{path}, {where}: expected a {names}, found {type(value).__name__}'
        )


def _check_array(array: Any, channels: int, where: str) -> None:
    shape = getattr(array, 'shape', None)
    if shape is None or len(shape) != 3 or shape[-1] != channels:
        raise ValueError(
            f'{where}: expected an array (frames, joints, {channels}), found '
            f'{type(array).__name__ if shape is None else shape}'
        )
    if array.dtype.kind not in 'fiu':
        raise ValueError(f'{where}: expected numbers, found {array.dtype}')
