"""2D keypoints as detectors write them, whoever wrote the file.

COCO-style lists (COCO results, AlphaPose), frames with instances (mmpose), arrays per
frame (rtmlib) and folders of OpenPose; all give the same list of detections.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# Number of joints to the skeleton that detectors mean by it.
SKELETON_OF = {
    17: 'coco17',
    18: 'openpose18',
    25: 'openpose25',
    133: 'coco_wholebody133',
}
TRACK_KEYS = ('track_id', 'idx', 'person_id')


@dataclass(frozen=True)
class Detection:
    """One person in one frame.

    Args:
        frame: Number of the frame.
        track: Who it is, over the frames; None if the file does not say.
        points: (J, 2) float64, pixels; not finite where nothing was found.
        scores: (J,) float64, confidence of each joint.
    """

    frame: int
    track: str | None
    points: np.ndarray
    scores: np.ndarray


def read_detections(path: str | Path) -> list[Detection]:
    """Read a JSON file of detections, or a folder of OpenPose.

    Args:
        path: File or folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, of an unknown form, empty, or a person lacks joints;
            the message names the file and the entry.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'there are no keypoints {path}')
    try:
        people = _openpose_people(path) if path.is_dir() else _people(_load(path))
        detections = [_detection(*person, where=where) for where, person in people]
        _check_joints(detections)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return detections


def _check_joints(detections: list[Detection]) -> None:
    if not detections:
        raise ValueError('no detected person')
    counts = sorted({len(d.points) for d in detections})
    if len(counts) > 1 or counts[0] not in SKELETON_OF:
        raise ValueError(
            f'expected people of {", ".join(map(str, SKELETON_OF))} joints, all alike, '
            f'found {" and ".join(map(str, counts))}'
        )


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path.name} is not a JSON file: {error}') from None


# Where in the file, and (frame, the person's entry).
People = Iterator[tuple[str, tuple[Any, dict]]]


def _people(content: Any) -> People:
    if isinstance(content, dict):
        content = content.get('instance_info', content.get('annotations'))
    if not isinstance(content, list):
        raise ValueError(
            'expected a list of people (COCO, AlphaPose) or of frames (mmpose, '
            'rtmlib), or a folder of OpenPose'
        )
    for number, entry in enumerate(content):
        where = f'entry {number}'
        if isinstance(entry, list):
            yield from _frame_people(where, number, entry)
        elif not isinstance(entry, dict):
            raise ValueError(
                f'{where}: expected a person or a frame, found {type(entry).__name__}'
            )
        elif 'instances' in entry:
            frame = entry.get('frame_id', number)
            yield from _frame_people(where, frame, entry['instances'])
        elif 'image_id' in entry:
            yield where, (entry['image_id'], entry)
        else:
            frame = entry.get('frame_id', number)
            yield from _frame_people(where, frame, _array_people(where, entry))


def _frame_people(where: str, frame: Any, people: Any) -> People:
    if not isinstance(people, list):
        raise ValueError(f'{where}: expected a list of people')
    for number, person in enumerate(people):
        yield f'{where}, person {number}', (frame, person)


def _array_people(where: str, entry: dict) -> list[dict]:
    """Split a frame's arrays ``keypoints`` (N, J, 2) and ``scores`` (N, J)."""
    points = entry.get('keypoints')
    scores = entry.get('scores', entry.get('keypoint_scores'))
    people = len(points) if isinstance(points, list) else -1
    tracks = entry.get('track_ids', [None] * people)
    if not all(isinstance(x, list) and len(x) == people for x in (scores, tracks)):
        raise ValueError(
            f'{where}: expected a frame with `keypoints` and `scores` of the same '
            f'people, found the keys {", ".join(map(str, entry))}'
        )
    return [
        dict(keypoints=p, keypoint_scores=s, track_id=t)
        for p, s, t in zip(points, scores, tracks, strict=True)
    ]


def _openpose_people(folder: Path) -> People:
    files = sorted(folder.glob('*.json'))
    if not files:
        raise ValueError('the folder holds no *_keypoints.json of OpenPose')
    for file in files:
        content = _load(file)
        people = content.get('people') if isinstance(content, dict) else None
        if not isinstance(people, list):
            raise ValueError(f'{file.name}: expected the entry `people` of OpenPose')
        # OpenPose names files <video>_<frame, 12 digits>_keypoints.json.
        frame = file.stem.removesuffix('_keypoints')
        for number, person in enumerate(people):
            where = f'{file.name}, person {number}'
            if isinstance(person, dict):
                person = {**person, 'keypoints': person.get('pose_keypoints_2d')}
            yield where, (frame, person)


def _detection(frame: Any, person: Any, where: str) -> Detection:
    if not isinstance(person, dict) or 'keypoints' not in person:
        raise ValueError(f'{where}: expected a person with `keypoints`')
    points, scores = _points_and_scores(person, where)
    return Detection(_frame_number(frame, where), _track(person), points, scores)


def _points_and_scores(person: dict, where: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        values = np.asarray(person['keypoints'], dtype=np.float64)
        scores = person.get('keypoint_scores')
        if values.ndim == 1 and len(values) % 3 == 0:
            values = values.reshape(-1, 3)
        if values.ndim == 2 and values.shape[1] == 3 and scores is None:
            values, scores = values[:, :2], values[:, 2]
        scores = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):
        values = scores = np.empty(0)
    if values.ndim != 2 or values.shape[1] != 2 or scores.shape != values.shape[:1]:
        raise ValueError(
            f'{where}: expected `keypoints` as x, y, score for each joint, or as '
            '(x, y) for each joint with `keypoint_scores` beside it'
        )
    return values, scores


def _track(person: dict) -> str | None:
    for key in TRACK_KEYS:
        track = person.get(key)
        if isinstance(track, list):
            track = track[0] if track else None
        # OpenPose writes -1 where it did not track.
        if track not in (None, -1):
            return str(track)
    return None


def _frame_number(frame: Any, where: str) -> int:
    """Return a number as it is; of a file name its last digits: 12 of ``a_012.jpg``."""
    if isinstance(frame, int):
        return frame
    digits = re.findall(r'\d{1,18}', re.sub(r'\.\w+$', '', str(frame)))
    if not digits:
        raise ValueError(f'{where}: no frame number in {frame!r}')
    return int(digits[-1])
