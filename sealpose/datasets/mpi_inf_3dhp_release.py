"""The annotations of MPI-INF-3DHP as its authors give them out.

A training clip has ``annot.mat`` (MATLAB 5): for each of 14 cameras 28 joints, in
millimetres and camera axes, and in pixels. A test clip has ``annot_data.mat``
(MATLAB 7.3, which is HDF5): 17 joints of one camera, and which frames are valid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.mpi_inf_3dhp_protocol import TEST_FRAMES, TRAIN_CLIPS
from sealpose.datasets.readers.isolation import IsolatedReader

ANNOTATIONS = ('univ_annot3', 'annot3')
RELEASE_JOINTS, JOINTS = 28, 17
# The 17 joints of the test set among the 28, in the order of the test set.
SELECTED = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
# Where archives of the test set are unpacked to.
TEST_FOLDERS = (
    'mpi_inf_3dhp_test_set', 'mpi_inf_3dhp_test_set/mpi_inf_3dhp_test_set', '',
)  # fmt: skip
MISSING_EXTRA = 'reading {} files needs {}: pip install "sealpose[convert]"'

View = dict[str, np.ndarray]


def expected_files(src: Path) -> dict[str, Path]:
    """Return clip or test subject to its file, whether it is there or not.

    Args:
        src: Folder of S1, S2, ... and of the test set.
    """
    train = {clip: src.joinpath(*clip.split(), 'annot.mat') for clip in TRAIN_CLIPS}
    test = {}
    for subject in TEST_FRAMES:
        places = [src / top / subject / 'annot_data.mat' for top in TEST_FOLDERS]
        test[subject] = next((p for p in places if p.is_file()), places[0])
    return {**train, **test}


def read_train_clip(
    path: Path, annotation: str, cameras: Sequence[int], frames: int
) -> dict[str, View]:
    """Read a training clip.

    Args:
        path: Its ``annot.mat``.
        annotation: One of ``ANNOTATIONS``.
        cameras: Numbers of the cameras.
        frames: Frames that the authors use; surplus ones at the end are cut off.

    Returns:
        Camera to ``data_2d`` (T, 17, 2) pixels and ``data_3d`` (T, 17, 3) millimetres,
        camera axes, float32.

    Raises:
        ImportError: scipy is not installed.
        ValueError: the file is damaged or holds something else; names the file.
    """
    variables = _load_mat(path)
    numbers = np.ravel(variables.get('cameras', np.arange(14))).tolist()
    views = {}
    for camera in cameras:
        if camera not in numbers:
            raise ValueError(f'{path}: no camera {camera}; it has {numbers}')
        at = numbers.index(camera)
        data_2d = _cell(path, variables, 'annot2', at, 2)[:frames]
        data_3d = _cell(path, variables, annotation, at, 3)[:frames]
        _check_frames(path, {'annot2': data_2d, annotation: data_3d})
        views[str(camera)] = dict(data_2d=data_2d, data_3d=data_3d)
    return views


def read_test_clip(path: Path, annotation: str) -> View:
    """Read a test clip.

    Args:
        path: Its ``annot_data.mat``.
        annotation: One of ``ANNOTATIONS``.

    Returns:
        ``data_2d`` (T, 17, 2) pixels, ``data_3d`` (T, 17, 3) millimetres, camera axes,
        both float32, and ``valid`` (T,) 0 or 1.

    Raises:
        ImportError: h5py is not installed.
        ValueError: the file is damaged or holds something else; names the file.
    """
    names = ('annot2', annotation, 'valid_frame')
    data_2d, data_3d, valid = _load_hdf5(path, names)
    clip = dict(
        data_2d=_joints(path, 'annot2', data_2d, JOINTS, 2),
        data_3d=_joints(path, annotation, data_3d, JOINTS, 3),
        valid=np.ravel(valid).astype(np.float64),
    )
    _check_frames(path, dict(zip(names, clip.values(), strict=True)))
    if not np.isin(clip['valid'], (0, 1)).all():
        raise ValueError(f'{path}, valid_frame: expected 0 and 1, found other values')
    return clip


def _cell(
    path: Path, variables: Mapping[str, Any], name: str, at: int, channels: int
) -> np.ndarray:
    """Return the 17 joints of one camera, (T, 17, channels) float32."""
    if name not in variables:
        raise ValueError(
            f'{path}: expected a variable {name!r}, found {", ".join(variables)}'
        )
    cells = variables[name]
    if cells.dtype != object or cells.size <= at:
        raise ValueError(
            f'{path}, {name}: expected a cell array with one cell for each of 14 '
            f'cameras, found {cells.dtype} of the shape {cells.shape}'
        )
    joints = _joints(path, name, cells.ravel()[at], RELEASE_JOINTS, channels)
    return joints[:, list(SELECTED)]


def _joints(
    path: Path, name: str, values: np.ndarray, joints: int, channels: int
) -> np.ndarray:
    """Return (T, joints, channels) float32; axes may be joined, or of length 1."""
    numbers = values.dtype.kind in 'fiu' and values.ndim > 1 and len(values)
    if not numbers or values[0].size != joints * channels:
        raise ValueError(
            f'{path}, {name}: expected frames of {joints} joints, {channels} numbers '
            f'each, found {values.dtype} of the shape {values.shape}'
        )
    return values.reshape(-1, joints, channels).astype(np.float32)


def _check_frames(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f'{path}: variables of different lengths: {lengths}')
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f'{path}, {name}: expected finite numbers, found others')


def _load_mat(path: Path) -> dict[str, Any]:
    # scipy crashes on some damaged files.
    with IsolatedReader() as reader:
        return reader.read(_MatFile(path))


@dataclass(frozen=True)
class _MatFile:
    """A MATLAB 5 file with the annotations of a training clip."""

    path: Path

    def read(self) -> dict[str, Any]:
        """Read its variables, as far as they are there."""
        try:
            from scipy.io import loadmat
        except ImportError:
            raise ImportError(MISSING_EXTRA.format('annot.mat', 'scipy')) from None
        names = ['annot2', *ANNOTATIONS, 'cameras']
        try:
            variables = loadmat(self.path, variable_names=names)
        except Exception as error:  # scipy has many kinds of them
            raise ValueError(
                f'{self.path} is no MATLAB 5 file, or damaged: {error}'
            ) from None
        return {name: variables[name] for name in names if name in variables}


def _load_hdf5(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    try:
        import h5py
    except ImportError:
        raise ImportError(MISSING_EXTRA.format('annot_data.mat', 'h5py')) from None
    try:
        with h5py.File(path, 'r') as file:
            present = list(file)
            arrays = [file[name][()] for name in names if name in file]
    except Exception as error:  # as above
        raise ValueError(
            f'{path} is no MATLAB 7.3 file, or damaged: {error}'
        ) from error
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(
            f'{path}: expected the variable {", ".join(missing)}, found '
            f'{", ".join(present)}'
        )
    return arrays
