"""BVH files: a skeleton of offsets, and Euler angles for each frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from sealpose.datasets.readers.motion import (
    JointTracks,
    euler_matrices,
    fault,
    read_text,
)

TRANSLATIONS = ('Xposition', 'Yposition', 'Zposition')
ROTATIONS = ('Xrotation', 'Yrotation', 'Zrotation')


@dataclass(frozen=True)
class BvhMotion(JointTracks):
    """Joint tracks of a BVH file, every row of it.

    The end site of a joint is called ``<joint>.end`` and turns with its joint.

    Args:
        rotations: (T, J, 3, 3), from the axes of each joint to those of the file.
        offsets: (J, 3), from the parent, in the units of the file.
        fps: Frames per second.
    """

    rotations: np.ndarray
    offsets: np.ndarray
    fps: float


@dataclass(frozen=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, ...]
    channels: tuple[str, ...]


def read_bvh(path: str | Path) -> BvhMotion:
    """Read a BVH file and compute where its joints are.

    Args:
        path: The file. The root has three translations and three rotations, every
            other joint three rotations, each in any order, in degrees.

    Raises:
        ValueError: a malformed or truncated file; the message names the file, the line
            and what was expected there.
    """
    path = Path(path)
    lines = read_text(path).splitlines()
    motion_at = _find_motion(path, lines)
    joints = _Hierarchy(path, lines[:motion_at]).joints
    fps, values = _read_motion(
        path, lines, motion_at, sum(len(joint.channels) for joint in joints)
    )
    rotations, positions = _forward_kinematics(joints, values)
    return BvhMotion(
        path=path,
        names=tuple(joint.name for joint in joints),
        positions=positions,
        rotations=rotations,
        offsets=np.array([joint.offset for joint in joints]),
        fps=fps,
    )


def _find_motion(path: Path, lines: Sequence[str]) -> int:
    for index, line in enumerate(lines):
        if line.strip() == 'MOTION':
            return index
    raise fault(path, len(lines), 'a section MOTION', 'the end of the file')


class _Hierarchy:
    """Parser of the section HIERARCHY; ``joints`` lists parents before children."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path = path
        self._tokens = [
            (token, number)
            for number, line in enumerate(lines, 1)
            for token in line.split()
        ]
        self._tokens.append(('MOTION', len(lines) + 1))
        self._at = 0
        self.joints: list[_Joint] = []
        self._take('HIERARCHY')
        self._take('ROOT')
        self._joint(self._next()[0], parent=-1)
        self._take('MOTION')

    def _joint(self, name: str, parent: int) -> None:
        if any(joint.name == name for joint in self.joints):
            raise self._fault('a new joint name', name)
        self._take('{')
        offset = self._offset()
        index = len(self.joints)
        self.joints.append(_Joint(name, parent, offset, self._channels(parent)))
        while True:
            token, _ = self._next()
            if token == 'JOINT':
                self._joint(self._next()[0], index)
            elif token == 'End':
                self._end_site(index)
            elif token == '}':
                return
            else:
                raise self._fault('JOINT, End Site or }', token)

    def _end_site(self, parent: int) -> None:
        self._take('Site')
        self._take('{')
        name = f'{self.joints[parent].name}.end'
        self.joints.append(_Joint(name, parent, self._offset(), ()))
        self._take('}')

    def _offset(self) -> tuple[float, ...]:
        self._take('OFFSET')
        return tuple(self._number() for _ in range(3))

    def _channels(self, parent: int) -> tuple[str, ...]:
        self._take('CHANNELS')
        expected = ROTATIONS if parent >= 0 else TRANSLATIONS + ROTATIONS
        self._take(str(len(expected)))
        channels = tuple(self._next()[0] for _ in expected)
        if sorted(channels) != sorted(expected):
            raise self._fault(
                f'the channels {" ".join(expected)} in some order', ' '.join(channels)
            )
        return channels

    def _number(self) -> float:
        token, _ = self._next()
        try:
            value = float(token)
        except ValueError:
            raise self._fault('a number', token) from None
        if not np.isfinite(value):
            raise self._fault('a finite number', token)
        return value

    def _take(self, expected: str) -> None:
        token, _ = self._next()
        if token != expected:
            raise self._fault(expected, token)

    def _next(self) -> tuple[str, int]:
        if self._at == len(self._tokens):
            raise self._fault('the rest of the hierarchy', 'MOTION')
        self._at += 1
        return self._tokens[self._at - 1]

    def _fault(self, expected: str, found: str) -> ValueError:
        return fault(self._path, self._tokens[self._at - 1][1], expected, repr(found))


def _read_motion(
    path: Path, lines: Sequence[str], motion_at: int, num_channels: int
) -> tuple[float, np.ndarray]:
    """Read what follows MOTION: frames per second and the rows, (T, channels)."""
    rows = [
        (number, line.split())
        for number, line in enumerate(lines[motion_at + 1 :], motion_at + 2)
        if line.strip()
    ]
    header = [*rows[:2], *[(len(lines), [])] * (2 - len(rows[:2]))]
    frames = _header_value(path, *header[0], ['Frames:'])
    frame_time = _header_value(path, *header[1], ['Frame', 'Time:'])
    rows = rows[2:]
    for number, words in rows:
        if len(words) != num_channels:
            raise fault(path, number, f'{num_channels} values', str(len(words)))
    if len(rows) != frames:
        raise fault(
            path,
            len(lines),
            f'{frames:g} rows of motion as Frames: says',
            f'{len(rows)}; the file is truncated or its header wrong',
        )
    return 1 / frame_time, _parse_rows(path, rows).reshape(-1, num_channels)


def _header_value(path: Path, number: int, words: list[str], key: list[str]) -> float:
    """Read the positive number of a line ``key value``."""
    try:
        value = float(words[-1])
    except (IndexError, ValueError):
        value = 0
    if words[:-1] != key or not 0 < value < float('inf'):
        expected = f'"{" ".join(key)}" and a positive number'
        raise fault(path, number, expected, repr(' '.join(words)))
    return value


def _parse_rows(path: Path, rows: Sequence[tuple[int, list[str]]]) -> np.ndarray:
    try:
        values = np.fromiter(map(float, chain(*(words for _, words in rows))), float)
        if np.isfinite(values).all():
            return values
    except ValueError:
        pass
    for number, words in rows:
        for word in words:
            try:
                finite = np.isfinite(float(word))
            except ValueError:
                finite = False
            if not finite:
                raise fault(path, number, 'finite numbers', repr(word))
    raise AssertionError('unreachable: some value was refused')


def _forward_kinematics(
    joints: Sequence[_Joint], values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute global rotations (T, J, 3, 3) and positions (T, J, 3)."""
    rotations = np.empty((len(values), len(joints), 3, 3))
    positions = np.empty((len(values), len(joints), 3))
    at = 0
    for j, joint in enumerate(joints):
        channels = dict(zip(joint.channels, values[:, at:].T, strict=False))
        at += len(joint.channels)
        turns = [c for c in joint.channels if c in ROTATIONS]
        local = euler_matrices(
            np.stack([channels[c] for c in turns], -1) if turns else values[:, :0],
            ''.join(c[0].lower() for c in turns),
        )
        if joint.parent < 0:
            rotations[:, j] = local
            translation = np.stack([channels[c] for c in TRANSLATIONS], -1)
            positions[:, j] = translation + joint.offset
        else:
            rotations[:, j] = rotations[:, joint.parent] @ local
            positions[:, j] = (
                positions[:, joint.parent] + rotations[:, joint.parent] @ joint.offset
            )
    return rotations, positions
