"""ASF files: the skeleton half of the Acclaim format."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sealpose.datasets.readers.motion import euler_matrices, fault, read_text

ROOT = 'root'
ROOT_CHANNELS = ['TX', 'TY', 'TZ', 'RX', 'RY', 'RZ']
METRES_PER_INCH = 0.0254
# Line number and words.
Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Bone:
    """A bone of an ASF skeleton; it starts where its parent ends.

    Args:
        name: Name in both files.
        vector: (3,), from start to end in the zero pose, units and axes of the file.
        axes: (3, 3), the bone's own axes in the zero pose.
        dof: Axes that the AMC gives an angle for, in its order, e.g. ``xz``.
    """

    name: str
    vector: np.ndarray
    axes: np.ndarray
    dof: str


@dataclass(frozen=True)
class AsfSkeleton:
    """The skeleton that the AMC files of a subject move.

    Args:
        path: File that it was read from.
        bones: Bones without the root, parents before children.
        parents: Bone name to parent name, ``root`` for the first ones.
        metres_per_unit: Length of one unit of the file.
    """

    path: Path
    bones: tuple[Bone, ...]
    parents: dict[str, str]
    metres_per_unit: float

    @cached_property
    def num_values(self) -> dict[str, int]:
        """Bone name to the number of values it has in each frame of an AMC file."""
        counts = {bone.name: len(bone.dof) for bone in self.bones if bone.dof}
        return {ROOT: len(ROOT_CHANNELS), **counts}


def read_asf(path: str | Path) -> AsfSkeleton:
    """Read a skeleton.

    Args:
        path: The file. As in all of CMU's, angles are degrees, axes turn in the order
            XYZ, and the root is at zero.

    Raises:
        ValueError: a malformed or truncated file; the message names the file, the line
            and what was expected there.
    """
    path = Path(path)
    sections = _sections(path)
    units = _Entries(path, sections[':units'])
    units.expect('angle', ['deg'])
    root = _Entries(path, sections[':root'])
    for key in ('position', 'orientation'):
        if root.numbers(key, 3).any():
            raise root.fault(key, 'three zeros')
    root.expect('order', ROOT_CHANNELS)
    root.expect('axis', ['XYZ'])
    bones = _read_bones(path, sections[':bonedata'])
    parents = _read_parents(path, sections[':hierarchy'], bones)
    return AsfSkeleton(
        path=path,
        bones=tuple(bones[name] for name in parents),
        parents=parents,
        metres_per_unit=METRES_PER_INCH / _unit(units),
    )


def _unit(units: '_Entries') -> float:
    """Read what the inches were multiplied with to give the values of the file."""
    (factor,) = units.numbers('length', 1)
    if factor <= 0:
        raise units.fault('length', 'a positive number')
    return factor


class _Entries:
    """Lines of the form ``key value ...``."""

    def __init__(self, path: Path, lines: Sequence[Line]) -> None:
        self._path = path
        self._start = lines[0][0]
        self._lines = {words[0]: (number, words[1:]) for number, words in lines}

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def words(self, key: str, count: int | None = None) -> list[str]:
        """Return the words after a key; exactly ``count`` of them if given."""
        if key not in self._lines:
            found = ', '.join(self._lines)
            raise fault(self._path, self._start, f'an entry {key!r} from here', found)
        words = self._lines[key][1]
        if count is not None and len(words) != count:
            raise self.fault(key, f'{count} values')
        return words

    def numbers(self, key: str, count: int) -> np.ndarray:
        """Return the first ``count`` numbers after a key, all finite."""
        words = self.words(key)[:count]
        try:
            values = np.array([float(word) for word in words])
        except ValueError:
            values = np.full(count, np.nan)
        if len(values) != count or not np.isfinite(values).all():
            raise self.fault(key, f'finite numbers ({count})')
        return values

    def expect(self, key: str, values: list[str]) -> None:
        if self.words(key) != values:
            raise self.fault(key, ' '.join(values))

    def fault(self, key: str, expected: str) -> ValueError:
        number, words = self._lines[key]
        return fault(
            self._path, number, f'{key} with {expected}', repr(' '.join(words))
        )


def _sections(path: Path) -> dict[str, list[Line]]:
    """Split a file into its sections; the first line of each is its heading."""
    sections: dict[str, list[Line]] = {}
    current: list[Line] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        if words[0].startswith(':'):
            current = sections.setdefault(words[0], [])
        current.append((number, words))
    for name in (':units', ':root', ':bonedata', ':hierarchy'):
        if name not in sections:
            raise ValueError(
                f'{path}: expected a section {name}, found '
                f'{", ".join(sections) or "no section at all"}'
            )
    return sections


def _blocks(path: Path, lines: Sequence[Line]) -> list[list[Line]]:
    """Split a section into what stands between ``begin`` and ``end``."""
    blocks: list[list[Line]] = []
    is_open = False
    for number, words in lines[1:]:
        if words[0] == ('end' if is_open else 'begin'):
            is_open = not is_open
            if is_open:
                blocks.append([])
        elif is_open:
            blocks[-1].append((number, words))
        else:
            raise fault(path, number, 'begin', repr(' '.join(words)))
    if is_open or not all(blocks):
        heading = lines[0][1][0]
        raise fault(path, lines[-1][0], f'end of a block of {heading}', 'nothing')
    return blocks


def _read_bones(path: Path, lines: Sequence[Line]) -> dict[str, Bone]:
    bones = {}
    for block in _blocks(path, lines):
        entries = _Entries(path, block)
        (name,) = entries.words('name', 1)
        if name in bones or name == ROOT:
            raise entries.fault('name', 'a new bone name')
        if entries.words('axis', 4)[-1] != 'XYZ':
            raise entries.fault('axis', 'three angles and XYZ')
        bones[name] = Bone(
            name=name,
            vector=entries.numbers('direction', 3) * entries.numbers('length', 1),
            # XYZ: about the fixed x first, so Rx stands on the right.
            axes=euler_matrices(entries.numbers('axis', 3)[::-1], 'zyx'),
            dof=_read_dof(entries) if 'dof' in entries else '',
        )
    return bones


def _read_dof(entries: _Entries) -> str:
    names = [word.lower() for word in entries.words('dof')]
    if not set(names) <= {'rx', 'ry', 'rz'} or len(set(names)) != len(names):
        raise entries.fault('dof', 'some of rx ry rz')
    return ''.join(name[1] for name in names)


def _read_parents(
    path: Path, lines: Sequence[Line], bones: dict[str, Bone]
) -> dict[str, str]:
    """Read the hierarchy: bone to parent, parents before children."""
    children: dict[str, list[str]] = {}
    parent_of: dict[str, str] = {}
    for number, (parent, *names) in (
        line for block in _blocks(path, lines) for line in block
    ):
        for name in (*names, *([] if parent == ROOT else [parent])):
            if name not in bones:
                raise fault(path, number, 'a bone of :bonedata', repr(name))
        for name in names:
            if name in parent_of:
                raise fault(path, number, 'a bone without a parent yet', repr(name))
            parent_of[name] = parent
            children.setdefault(parent, []).append(name)
    ordered, waiting = {}, [ROOT]
    while waiting:
        parent = waiting.pop()
        for name in children.get(parent, ()):
            ordered[name] = parent
            waiting.append(name)
    adrift = [name for name in bones if name not in ordered]
    if adrift:
        raise fault(path, lines[-1][0], 'every bone to hang on the root', f'{adrift}')
    return ordered
