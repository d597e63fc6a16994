"""What the layouts have in common in which MPI-INF-3DHP is passed around."""

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.readers.npz import read_npz

Views = list | tuple | np.ndarray
JOINTS = 17
HOW_TO_OBTAIN = (
    'The licence of MPI-INF-3DHP forbids passing its files on: get it from '
    'vcai.mpi-inf.mpg.de/3dhp-dataset and run python '
    'tools/dataset_converters/mpi_inf_3dhp.py SRC data/mpi_inf_3dhp; '
    'docs/datasets/mpi_inf_3dhp.md tells more.'
)


@dataclass(frozen=True)
class Clip:
    """One clip from one camera.

    Args:
        subject: ``S1`` to ``S8`` or ``TS1`` to ``TS6``.
        name: ``Seq1`` or ``Seq2``; of a test clip its subject.
        camera: Number of the camera.
        points: (T, 17, 3) float64, metres, camera axes.
        pixels: (T, 17, 2) float64, pixels.
        valid: (T,) bool, of test clips.
    """

    subject: str
    name: str
    camera: str
    points: np.ndarray
    pixels: np.ndarray
    valid: np.ndarray | None = None

    def __str__(self) -> str:
        return f'{self.subject} {self.name} camera {self.camera}'


class Layout(ABC):
    """Files in one of the layouts.

    Args:
        root: Folder of the files.
        test: Read test subjects.
    """

    def __init__(self, root: Path, test: bool) -> None:
        self.test = test
        self.paths = [root / name for name in self.file_names()]

    @abstractmethod
    def file_names(self) -> list[str]:
        """Return the names of the files."""

    @abstractmethod
    def clips(
        self, subjects: Sequence[str], cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        """Read the clips of some subjects.

        Args:
            subjects: Names of the subjects.
            cameras: Numbers of the training cameras; all that there are if None.

        Raises:
            ValueError: a malformed file; names it, the entry and what was expected.
        """

    def there(self) -> bool:
        """Whether all files are there."""
        return all(path.is_file() for path in self.paths)

    def check(self) -> None:
        """Refuse to go on without the files."""
        missing = [str(path) for path in self.paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(
                'MPIINF3DHP needs files that are not there:\n  '
                + '\n  '.join(missing)
                + f'\n{HOW_TO_OBTAIN}'
            )

    def annotation(self) -> str | None:
        """Return ``univ_annot3`` or ``annot3`` if the files say which they hold."""
        with zipfile.ZipFile(self.paths[0]) as archive:
            if 'metadata.npy' not in archive.namelist():
                return None
        (metadata,) = read_npz(self.paths[0], 'metadata')
        found = metadata.get('annotation') if isinstance(metadata, dict) else None
        return found if isinstance(found, str) else None


def is_listing(value: Any) -> bool:
    """Whether it is a list, or an array in place of one."""
    return isinstance(value, list | tuple) or np.ndim(value) > 0


def clip_arrays(points: Any, pixels: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the arrays of a clip as float64.

    Raises:
        ValueError: they are not (T, 17, 3) and (T, 17, 2) numbers; the message begins
            with ``where``.
    """
    for array, channels, name in ((points, 3, '3D positions'), (pixels, 2, '2D')):
        shape = array.shape if isinstance(array, np.ndarray) else ()
        if len(shape) != 3 or shape[1:] != (JOINTS, channels):
            raise ValueError(
                f'{where}: expected {name} (frames, {JOINTS}, {channels}), found '
                f'{shape if isinstance(array, np.ndarray) else type(array).__name__}'
            )
        if array.dtype.kind not in 'fiu':
            raise ValueError(
                f'{where}: expected numbers in {name}, found {array.dtype}'
            )
    if len(points) != len(pixels):
        raise ValueError(
            f'{where}: {len(points)} frames of 3D positions but {len(pixels)} of 2D'
        )
    return points.astype(np.float64), pixels.astype(np.float64)


def find_entry(entries: Any, key: str, where: str) -> Any:
    """Look up a key in what should be a dict.

    Raises:
        ValueError: it is none, or has no such key; the message begins with ``where``.
    """
    if not isinstance(entries, dict):
        raise ValueError(f'{where}: expected a dict, found {type(entries).__name__}')
    if key not in entries:
        present = ', '.join(map(str, list(entries)[:20])) or 'nothing'
        raise ValueError(f'{where}: no entry {key!r}; present: {present}')
    return entries[key]
