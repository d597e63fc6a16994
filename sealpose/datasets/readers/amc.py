"""AMC files: the motion half of the Acclaim format."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sealpose.datasets.readers.asf import ROOT, AsfSkeleton
from sealpose.datasets.readers.motion import (
    JointTracks,
    euler_matrices,
    fault,
    read_text,
)

HEADER = (':FULLY-SPECIFIED', ':DEGREES')


def read_amc(path: str | Path, skeleton: AsfSkeleton) -> JointTracks:
    """Read a motion and compute where its bones end.

    Args:
        path: The file. Its frames count from 1 and list the bones in the same order.
        skeleton: The skeleton of the subject.

    Returns:
        The position of the root, and of the end of each bone.

    Raises:
        ValueError: a malformed or truncated file, or one that does not belong to the
            skeleton; the message names the file, the line, the frame and what was
            expected there.
    """
    path = Path(path)
    header, body = _split_header(path, read_text(path))
    tokens = body.split()
    layout = _layout(tokens, skeleton)
    values = _columns(tokens, layout)
    if values is None:
        raise _first_fault(path, header, body, layout)
    positions = _forward_kinematics(skeleton, values)
    return JointTracks(path, tuple(positions), np.stack([*positions.values()], 1))


def _split_header(path: Path, text: str) -> tuple[int, str]:
    """Return the number of lines in front of the frames, and the frames' text."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        if not words[0].startswith(':'):
            break
        if words[0] not in HEADER:
            raise fault(path, number, ' or '.join(HEADER), repr(line.strip()))
    else:
        raise fault(path, len(lines), 'frame 1', 'the end of the file')
    if '#' in text:
        # Emptied, not dropped: the numbers of the lines must stay.
        lines = ['' if line.lstrip().startswith('#') else line for line in lines]
    return number - 1, '\n'.join(lines[number - 1 :])


def _layout(tokens: Sequence[str], skeleton: AsfSkeleton) -> list[tuple[str, int]]:
    """List (bone, number of values) in the order of the first frame.

    Bones that the first frame lacks come last, so that a check of the tokens against
    the layout fails where they should be.
    """
    counts = dict(skeleton.num_values)
    layout = []
    at = 1
    while at < len(tokens) and tokens[at] in counts:
        layout.append((tokens[at], counts.pop(tokens[at])))
        at += 1 + layout[-1][1]
    return layout + list(counts.items())


def _columns(
    tokens: Sequence[str], layout: Sequence[tuple[str, int]]
) -> dict[str, np.ndarray] | None:
    """Cut the tokens of all frames at once: bone to (T, values), None at any fault."""
    width = 1 + sum(1 + count for _, count in layout)
    frames, rest = divmod(len(tokens), width)
    if rest or tokens[::width] != [str(k + 1) for k in range(frames)]:
        return None
    columns = {}
    at = 1
    for name, count in layout:
        if tokens[at::width].count(name) != frames:
            return None
        try:
            columns[name] = np.array(
                [
                    list(map(float, tokens[column::width]))
                    for column in range(at + 1, at + 1 + count)
                ]
            ).T
        except ValueError:
            return None
        if not np.isfinite(columns[name]).all():
            return None
        at += 1 + count
    return columns


def _first_fault(
    path: Path, header: int, body: str, layout: Sequence[tuple[str, int]]
) -> ValueError:
    """Find the first token that is not what the layout says."""
    roles: list[tuple[str, str]] = [('frame', '')]
    for name, count in layout:
        roles.append((name, f'bone {name!r}'))
        roles += [
            ('', f'value {i + 1} of {count} of bone {name!r}') for i in range(count)
        ]
    position = -1
    for number, line in enumerate(body.splitlines(), header + 1):
        for token in line.split():
            position += 1
            frame, column = divmod(position, len(roles))
            literal, expected = roles[column]
            if column == 0:
                literal = str(frame + 1)
                expected = f'frame number {literal}'
            if token != literal if literal else not _is_finite_number(token):
                where = '' if column == 0 else f' in frame {frame + 1}'
                return fault(path, number, expected + where, repr(token))
    frame, column = divmod(position + 1, len(roles))
    return fault(
        path,
        header + len(body.splitlines()),
        f'{roles[column][1]} in frame {frame + 1}',
        'the end of the file',
    )


def _is_finite_number(token: str) -> bool:
    try:
        return bool(np.isfinite(float(token)))
    except ValueError:
        return False


def _forward_kinematics(
    skeleton: AsfSkeleton, values: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Compute where the bones end: name to (T, 3)."""
    translation, angles = np.split(values[ROOT], 2, axis=1)
    rotations = {ROOT: euler_matrices(angles[:, ::-1], 'zyx')}
    ends = {ROOT: translation}
    for bone in skeleton.bones:
        parent = skeleton.parents[bone.name]
        rotation = rotations[parent]
        if bone.dof:
            turns = ''.join(axis for axis in 'zyx' if axis in bone.dof)
            columns = [bone.dof.index(axis) for axis in turns]
            local = euler_matrices(values[bone.name][:, columns], turns)
            rotation = rotation @ (bone.axes @ local @ bone.axes.T)
        rotations[bone.name] = rotation
        ends[bone.name] = ends[parent] + rotation @ bone.vector
    return ends
