"""The files of H3WB, each read into groups of samples."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.h36m_cameras import INTRINSICS
from sealpose.datasets.readers.npz import read_npz

JOINTS = 133
TEST_SUBJECT = 'S8'
IMAGES_FILE = 'RGBto3D_train.json'
# Entries of an action that are no camera.
NOT_CAMERAS = ('global_3d', 'frame_id')


@dataclass(frozen=True)
class Samples:
    """The samples of one action from one camera.

    Args:
        subject: Who moves.
        action: Action with the number of its take: ``Walking 1``.
        camera: Number of the camera.
        points: (n, 133, 3) float64, millimetres, camera axes.
        pixels: (n, 133, 2) float64, pixels.
        ids: (n,) int64, numbers of the samples in the release.
    """

    subject: str
    action: str
    camera: str
    points: np.ndarray
    pixels: np.ndarray
    ids: np.ndarray

    def __str__(self) -> str:
        return f'{self.subject}/{self.action}/{self.camera}'

    def select(self, kept: np.ndarray) -> 'Samples':
        """Keep some of the samples.

        Args:
            kept: (n,) bool.
        """
        return Samples(
            self.subject,
            self.action,
            self.camera,
            self.points[kept],
            self.pixels[kept],
            self.ids[kept],
        )


def read_train(path: Path, subjects: Sequence[str]) -> Iterator[Samples]:
    """Read ``h3wb_train.npz``.

    Args:
        path: The file.
        subjects: Who has to be there.
    """
    (data,) = read_npz(path, 'train_data')
    for subject in subjects:
        yield from _subject_samples(data, subject, path, 'train_data')


def read_test(path: Path) -> Iterator[Samples]:
    """Read ``task1_test_3d.npz`` or ``task2_test_3d.npz``.

    Args:
        path: The file.
    """
    (data,) = read_npz(path, 'data')
    yield from _subject_samples(data, TEST_SUBJECT, path, 'data')


def read_json(path: Path) -> Iterator[Samples]:
    """Read ``2Dto3D_train.json``.

    Where it does not name the images, and with them subject, action and camera,
    ``RGBto3D_train.json`` beside it does, which has the same samples.

    Args:
        path: The file.

    Raises:
        ValueError: it is damaged, or a sample lacks something; names the sample.
    """
    content = _load_samples(path)
    beside = path.with_name(IMAGES_FILE)
    if beside.is_file():
        for number, sample in _load_samples(beside).items():
            mine = content.get(number)
            if isinstance(mine, dict) and isinstance(sample, dict):
                mine.setdefault('image_path', sample.get('image_path'))
    groups = defaultdict(list)
    for number, sample in content.items():
        where = f'{path}, sample {number!r}'
        if not isinstance(sample, dict) or not number.isdecimal():
            raise ValueError(f'{where}: expected a sample under its number')
        groups[_place(sample, where)].append((int(number), sample, where))
    for place, samples in groups.items():
        yield Samples(
            *place,
            points=np.stack(
                [_points(s, 'keypoints_3d', 'xyz', w) for _, s, w in samples]
            ),
            pixels=np.stack(
                [_points(s, 'keypoints_2d', 'xy', w) for _, s, w in samples]
            ),
            ids=np.array([number for number, _, _ in samples]),
        )


def _load_samples(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not a JSON file: {error}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: expected samples by their numbers')
    return content


def _place(sample: dict, where: str) -> tuple[str, str, str]:
    """Find subject, action and camera in the path of the image."""
    path = str(sample.get('image_path', ''))
    found = re.search(r'(S\d+)/(?:Images/)?([^/.]+)\.(\d{8})\b', path)
    if not found:
        raise ValueError(
            f'{where}: no subject, action and camera in `image_path` {path!r}; if the '
            f'file has no image paths, put {IMAGES_FILE} beside it'
        )
    return found.groups()


def _points(sample: dict, key: str, axes: str, where: str) -> np.ndarray:
    """Read {joint: {x, y[, z]}} as (133, 2 or 3)."""
    try:
        points = sample[key]
        if len(points) != JOINTS:
            raise ValueError(f'{len(points)} joints')
        values = [points[str(j)][axis] for j in range(JOINTS) for axis in axes]
        return np.array(values, dtype=np.float64).reshape(JOINTS, len(axes))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f'{where}: expected `{key}` with {", ".join(axes)} of the joints 0 to '
            f'{JOINTS - 1}: {error}'
        ) from None


def _subject_samples(
    data: Any, subject: str, path: Path, key: str
) -> Iterator[Samples]:
    actions = _entry(data, subject, path, key)
    if not isinstance(actions, dict) or not actions:
        raise ValueError(f'{path}, {subject}: no actions')
    for action, entry in actions.items():
        where = f'{subject}/{action}'
        if not isinstance(entry, dict):
            raise ValueError(f'{path}, {where}: expected the cameras of the action')
        unknown = set(entry) - {*NOT_CAMERAS, *INTRINSICS}
        if unknown:
            raise ValueError(
                f'{path}, {where}: unknown camera {sorted(map(str, unknown))[0]}; '
                f'expected {", ".join(INTRINSICS)}'
            )
        for camera in INTRINSICS:
            view = _entry(entry, camera, path, where)
            yield _camera_samples(view, subject, action, camera, path)


def _camera_samples(
    view: Any, subject: str, action: str, camera: str, path: Path
) -> Samples:
    where = f'{subject}/{action}/{camera}'
    points = _array(view, 'camera_3d', 3, path, where)
    pixels = _array(view, 'pose_2d', 2, path, where)
    try:
        ids = np.asarray(_entry(view, 'sample_id', path, where)).astype(np.int64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f'{path}, {where}, sample_id: expected whole numbers'
        ) from None
    ids = ids.reshape(-1)
    if not len(points) == len(pixels) == len(ids):
        raise ValueError(
            f'{path}, {where}: {len(points)} poses, {len(pixels)} sets of 2D keypoints '
            f'and {len(ids)} sample numbers'
        )
    return Samples(subject, action, camera, points, pixels, ids)


def _array(view: Any, key: str, channels: int, path: Path, where: str) -> np.ndarray:
    array = _entry(view, key, path, where)
    shape = getattr(array, 'shape', None)
    # Some files have (samples, 1, joints, channels).
    if shape is not None and len(shape) == 4 and shape[1] == 1:
        array = array[:, 0]
        shape = array.shape
    if shape is None or len(shape) != 3 or shape[1:] != (JOINTS, channels):
        raise ValueError(
            f'{path}, {where}, {key}: expected (samples, {JOINTS}, {channels}), found '
            f'{type(array).__name__ if shape is None else shape}'
        )
    return np.asarray(array, np.float64)


def _entry(entries: Any, key: str, path: Path, where: str) -> Any:
    if not isinstance(entries, dict) or key not in entries:
        present = ', '.join(map(str, entries)) if isinstance(entries, dict) else ''
        raise ValueError(
            f'{path}, {where}: no entry {key!r}; present: {present or "nothing"}'
        )
    return entries[key]
