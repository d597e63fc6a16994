"""The layouts in which MPI-INF-3DHP is passed around, each read into clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.readers.npz import read_npz

JOINTS = 17
HOW_TO_OBTAIN = (
    'The licence of MPI-INF-3DHP forbids passing its files on: get it from '
    'vcai.mpi-inf.mpg.de/3dhp-dataset and run python '
    'tools/dataset_converters/mpi_inf_3dhp.py SRC data/mpi_inf_3dhp'
)


@dataclass(frozen=True)
class Clip:
    """One clip from one camera.

    Args:
        subject: ``S1`` to ``S8`` or ``TS1`` to ``TS6``.
        name: ``Seq1`` or ``Seq2``; of a test clip its subject.
        camera: Number of the camera.
        points: (T, 17, 3) metres, camera axes.
        pixels: (T, 17, 2) pixels.
        valid: (T,) bool, of test clips.
    """

    subject: str
    name: str
    camera: str
    points: np.ndarray
    pixels: np.ndarray
    valid: np.ndarray | None = None


class PSTMOFiles:
    """P-STMO's pair: ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``, millimetres.

    Args:
        root: Folder of the files.
        test: The test file, not the training file.
    """

    def __init__(self, root: Path, test: bool) -> None:
        self.test = test
        self.paths = [root / f'data_{"test" if test else "train"}_3dhp.npz']

    def there(self) -> bool:
        """Whether the file is there."""
        return self.paths[0].is_file()

    def check(self) -> None:
        """Refuse to go on without the file."""
        _check_files(self.paths)

    def clips(
        self, subjects: Sequence[str], cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        """Read the clips of some subjects, all cameras if None."""
        (data,) = read_npz(self.paths[0], 'data')
        if self.test:
            for subject in subjects:
                yield self._test_clip(subject, data)
            return
        for subject in subjects:
            for sequence in ('Seq1', 'Seq2'):
                yield from self._views(subject, sequence, data, cameras)

    def _test_clip(self, subject: str, data: Any) -> Clip:
        where = f'{self.paths[0]}, {subject}'
        entry = _lookup(data, subject, self.paths[0], 'data')
        points, pixels = self._arrays(entry, where)
        valid = np.asarray(_lookup(entry, 'valid', self.paths[0], subject)).squeeze()
        if valid.shape != (len(points),):
            raise ValueError(
                f'{where}: expected `valid` for {len(points)} frames, found the shape '
                f'{valid.shape}'
            )
        return Clip(subject, subject, '0', points, pixels, valid.astype(bool))

    def _views(
        self, subject: str, sequence: str, data: Any, cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        name = f'{subject} {sequence}'
        entry = _lookup(data, name, self.paths[0], 'data')
        if not isinstance(entry, list | tuple | np.ndarray) or len(entry) != 2:
            raise ValueError(
                f'{self.paths[0]}, {name}: expected a list of cameras and frame rate'
            )
        views = entry[0]
        for camera in cameras if cameras is not None else _keys(views, name):
            view = _lookup(views, camera, self.paths[0], name)
            arrays = self._arrays(view, f'{self.paths[0]}, {name}, camera {camera}')
            yield Clip(subject, sequence, camera, *arrays)

    def _arrays(self, entry: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
        points = _lookup(entry, 'data_3d', self.paths[0], where)
        pixels = _lookup(entry, 'data_2d', self.paths[0], where)
        check_shapes(points, pixels, where)
        return np.asarray(points, np.float64) / 1000, pixels


class PairFiles:
    """The pair of VideoPose3D's kind: positions in metres, a list of cameras a clip.

    Args:
        root: Folder of the files.
        test: Read test subjects.
    """

    def __init__(self, root: Path, test: bool) -> None:
        self.test = test
        self.paths = [
            root / 'data_3d_mpi_inf_3dhp.npz',
            root / 'data_2d_mpi_inf_3dhp_gt.npz',
        ]

    def there(self) -> bool:
        """Whether both files are there."""
        return all(path.is_file() for path in self.paths)

    def check(self) -> None:
        """Refuse to go on without the files."""
        _check_files(self.paths)

    def clips(
        self, subjects: Sequence[str], cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        """Read the clips of some subjects, all cameras if None."""
        (world,) = read_npz(self.paths[0], 'positions_3d')
        (screen,) = read_npz(self.paths[1], 'positions_2d')
        for subject in subjects:
            names = _lookup(world, subject, self.paths[0], 'positions_3d')
            for name in _keys(names, subject):
                yield from self._views(subject, name, world, screen, cameras)

    def _views(
        self,
        subject: str,
        name: str,
        world: Any,
        screen: Any,
        cameras: Sequence[str] | None,
    ) -> Iterator[Clip]:
        points = world[subject][name]
        clips = _lookup(screen, subject, self.paths[1], 'positions_2d')
        pixels = _lookup(clips, name, self.paths[1], subject)
        where = f'{self.paths[1]}, {subject}/{name}'
        if len(points) != len(pixels):
            raise ValueError(
                f'{where}: {len(pixels)} cameras, but {len(points)} in {self.paths[0]}'
            )
        chosen = cameras if cameras is not None else map(str, range(len(points)))
        for camera in chosen:
            if int(camera) >= len(points):
                raise ValueError(f'{where}: no camera {camera}, only {len(points)}')
            view = points[int(camera)], pixels[int(camera)]
            check_shapes(*view, f'{where}, camera {camera}')
            valid = np.ones(len(view[0]), bool) if self.test else None
            yield Clip(subject, subject if self.test else name, camera, *view, valid)


def check_shapes(points: Any, pixels: Any, where: str) -> None:
    """Refuse arrays that are not those of one clip.

    Raises:
        ValueError: another number of joints or channels, or of frames in 2D and 3D.
    """
    for array, channels, name in ((points, 3, '3D positions'), (pixels, 2, '2D')):
        shape = getattr(array, 'shape', None)
        if shape is None or len(shape) != 3 or shape[1:] != (JOINTS, channels):
            raise ValueError(
                f'{where}: expected {name} (frames, {JOINTS}, {channels}), found '
                f'{type(array).__name__ if shape is None else shape}'
            )
    if len(points) != len(pixels):
        raise ValueError(
            f'{where}: {len(points)} frames of 3D positions but {len(pixels)} of 2D'
        )


def _check_files(paths: Sequence[Path]) -> None:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            'MPIINF3DHP needs files that are not there:\n  '
            + '\n  '.join(missing)
            + f'\n{HOW_TO_OBTAIN}'
        )


def _lookup(entries: Any, key: str, path: Path, where: str) -> Any:
    if not isinstance(entries, dict):
        raise ValueError(
            f'{path}, {where}: expected a dict, found {type(entries).__name__}'
        )
    if key not in entries:
        present = ', '.join(map(str, list(entries)[:20])) or 'nothing'
        raise ValueError(f'{path}, {where}: no entry {key!r}; present: {present}')
    return entries[key]


def _keys(entries: Any, where: str) -> list[str]:
    if not isinstance(entries, dict) or not entries:
        raise ValueError(f'{where}: expected a dict with entries')
    return list(entries)
