"""From detections, frame by frame, to one gapless track for each person."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sealpose.datasets.readers.detections import Detection

GAPS = ('interpolate', 'mask')
# A track may be seen in one of so many of its frames; fewer means wrong numbers.
MAX_FRAMES_PER_DETECTION = 1000


def split_tracks(detections: Sequence[Detection]) -> dict[str, list[Detection]]:
    """Sort detections by person.

    Args:
        detections: Of any frames and people.

    Returns:
        Track name to the detections of that person, in the order of the frames.

    Raises:
        ValueError: several people in a frame but no track ids, or a person twice in a
            frame.
    """
    tracks = defaultdict(list)
    for detection in sorted(detections, key=lambda d: d.frame):
        tracks[detection.track or 'person'].append(detection)
    for name, track in tracks.items():
        frames = [d.frame for d in track]
        twice = [a for a, b in pairwise(frames) if a == b]
        if twice and track[0].track is None:
            raise ValueError(
                f'frame {twice[0]} shows several people, but the file has no track ids '
                'to keep them apart; run a tracker, or keep one person per frame'
            )
        if twice:
            raise ValueError(f'track {name!r} appears twice in frame {twice[0]}')
    return dict(tracks)


def fill_track(
    track: Sequence[Detection], min_score: float, gaps: str
) -> tuple[np.ndarray, np.ndarray]:
    """Lay a track out over its frames, first to last, and close its gaps.

    Args:
        track: Detections of one person, in the order of the frames.
        min_score: Joints below it count as not seen, as do those that are not finite.
        gaps: ``interpolate``: linearly over time between the frames where the joint was
            seen, held beyond them. ``mask``: NaN.

    Returns:
        Points (T, J, 2) in pixels, and which of them were seen (T, J). A joint that is
        never seen is NaN either way.

    Raises:
        ValueError: the frame numbers lie absurdly far apart.
    """
    first = track[0].frame
    length = track[-1].frame - first + 1
    if length > MAX_FRAMES_PER_DETECTION * len(track):
        raise ValueError(
            f'a person is detected {len(track)} times from frame {first} to '
            f'{track[-1].frame}: are these frame numbers?'
        )
    joints = len(track[0].points)
    points = np.full((length, joints, 2), np.nan)
    for detection in track:
        good = detection.scores >= min_score
        good &= np.isfinite(detection.points).all(-1)
        points[detection.frame - first, good] = detection.points[good]
    seen = np.isfinite(points).all(-1)
    if gaps == 'interpolate':
        _interpolate(points, seen)
    return points, seen


def _interpolate(points: np.ndarray, seen: np.ndarray) -> None:
    frames = np.arange(len(points))
    for joint in np.flatnonzero(seen.any(0)):
        known = seen[:, joint]
        for axis in range(2):
            points[~known, joint, axis] = np.interp(
                frames[~known], frames[known], points[known, joint, axis]
            )
