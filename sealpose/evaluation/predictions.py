"""The predictions file: every predicted pose, with what it belongs to."""

import zipfile
from pathlib import Path

import numpy as np

from sealpose.evaluation.files import whole_file

UNIT = 'm'
SPACE = 'camera, root-relative'
# Entry to its number of dimensions. The first of them counts the frames of all
# sequences, or the sequences, or is absent.
FRAME_KEYS = {
    'keypoints_3d_pred': 3,
    'keypoints_3d_gt': 3,
    'keypoints_2d': 3,
    'sequence': 1,
    'frame': 1,
}
SEQUENCE_KEYS = {'subject': 1, 'action': 1, 'clip': 1, 'camera': 1}
TEXT_KEYS = {'skeleton': 0, 'unit': 0, 'space': 0, 'dataset': 0, 'name': 0}


def save_predictions(path: str | Path, predictions: dict[str, np.ndarray]) -> None:
    """Write a predictions file.

    Args:
        path: Where to; an existing file is replaced once the new one is complete.
        predictions: ``keypoints_3d_pred`` and ``keypoints_3d_gt`` (N, J, 3) float32
            metres, root-relative, camera axes; ``keypoints_2d`` (N, J, 2) float32
            screen-normalised; ``sequence`` (N,) int64, which of the sequences;
            ``frame`` (N,) int64, which frame of it; ``subject``, ``action``, ``clip``,
            ``camera`` (S,) texts; ``skeleton``, ``unit``, ``space``, ``dataset``,
            ``name`` () texts. ``PoseMetric.predictions`` is such a dict.

    Raises:
        ValueError: an entry is missing or has another shape.
    """
    _check(path, predictions)
    with whole_file(path) as temporary, open(temporary, 'wb') as file:
        np.savez(file, **predictions)


def load_predictions(path: str | Path) -> dict[str, np.ndarray]:
    """Read a predictions file; nothing in it is run.

    Args:
        path: The file.

    Returns:
        The entries that :func:`save_predictions` lists.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file; the message names the file and the key.
    """
    key = None
    try:
        with np.load(path, allow_pickle=False) as archive:
            predictions = {}
            for key in archive.files:
                predictions[key] = archive[key]
    except (
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        where = f'{path}, key {key!r}' if key else f'{path}'
        raise ValueError(f'{where}: not a predictions file: {error}') from None
    _check(path, predictions)
    return predictions


def _check(path: str | Path, predictions: dict[str, np.ndarray]) -> None:
    for key, dims in {**FRAME_KEYS, **SEQUENCE_KEYS, **TEXT_KEYS}.items():
        if key not in predictions:
            raise ValueError(f'{path} is not a predictions file: it has no key {key!r}')
        shape = predictions[key].shape
        if len(shape) != dims:
            raise ValueError(
                f'{path}, key {key!r}: expected an array of {dims} dimensions, got the '
                f'shape {shape}'
            )
    for keys in (FRAME_KEYS, SEQUENCE_KEYS):
        lengths = {key: len(predictions[key]) for key in keys}
        if len(set(lengths.values())) > 1:
            raise ValueError(f'{path}: the lengths of its entries differ: {lengths}')
