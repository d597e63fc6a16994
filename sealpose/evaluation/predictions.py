"""The predictions file: every predicted pose, with what it belongs to."""

import zipfile
from pathlib import Path

import numpy as np

from sealpose.evaluation.files import whole_file
from sealpose.skeletons import Skeleton

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


def check_poses(
    path: str | Path,
    predictions: dict[str, np.ndarray],
    skeleton: Skeleton,
    needs_truth: bool = True,
) -> None:
    """Refuse what cannot be drawn or analysed.

    Args:
        path: Of the file, for the error.
        predictions: What :func:`load_predictions` returned.
        skeleton: The skeleton that it names.
        needs_truth: Whether there must be truth.

    Raises:
        ValueError: there are no frames, the poses do not fit the skeleton, are not
            finite, or belong to a sequence that the file does not have.
    """
    if len(predictions['frame']) == 0:
        raise ValueError(f'{path} holds no frames')
    for key in ('keypoints_3d_pred', 'keypoints_3d_gt', 'keypoints_2d'):
        poses = predictions[key]
        expected = (skeleton.num_joints, 2 if key == 'keypoints_2d' else 3)
        if poses.shape[1:] != expected or poses.dtype.kind != 'f':
            raise ValueError(
                f'{path}, key {key!r}: expected floats of the shape (frames, '
                f'{expected[0]}, {expected[1]}) for the skeleton {skeleton.name!r}, '
                f'got {poses.dtype} of the shape {poses.shape}'
            )
        is_truth = key == 'keypoints_3d_gt'
        if is_truth and not needs_truth and not has_truth(predictions):
            continue
        broken = np.flatnonzero(~np.isfinite(poses).all((1, 2)))
        if len(broken):
            hint = '; the truth is needed here' if is_truth and needs_truth else ''
            raise ValueError(
                f'{path}, key {key!r}: {len(broken)} of {len(poses)} frames have NaN '
                f'or infinite values, the first is number {broken[0]}{hint}'
            )
    for key in ('sequence', 'frame'):
        if predictions[key].dtype.kind not in 'iu':
            raise ValueError(f'{path}, key {key!r}: expected whole numbers')
    count = len(predictions['subject'])
    if not np.isin(predictions['sequence'], np.arange(count)).all():
        raise ValueError(
            f"{path}, key 'sequence': expected numbers from 0 to {count - 1}, one of "
            'the sequences of the file'
        )


def has_truth(predictions: dict[str, np.ndarray]) -> bool:
    """Whether there is truth: poses lifted in the wild have NaN in its place."""
    return not np.isnan(predictions['keypoints_3d_gt']).all()


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
