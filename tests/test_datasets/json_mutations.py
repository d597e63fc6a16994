"""Damaged JSON files of keypoints: broken text, and valid text that says nonsense."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

JUNK = (
    None, True, -1, 0, 10**30, 1.5, float('nan'), float('inf'), '', 'x' * 1000, '7',
    [], {}, [[]], [None] * 3, {'keypoints': 3}, [[1, 2], [3]],
)  # fmt: skip


def mutated_json(
    originals: Sequence[Any], count: int, seed: int
) -> Iterator[tuple[str, str]]:
    """Yield what was done to each file, and its text.

    Args:
        originals: Contents of good files.
        count: Number of files.
        seed: Chooses the mutations.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        content = originals[random.integers(len(originals))]
        how = ('text', 'structure')[random.integers(2)]
        if how == 'text':
            yield how, _break_text(json.dumps(content), random)
        else:
            content = copy.deepcopy(content)
            for _ in range(random.integers(1, 4)):
                content = _break_structure(content, random)
            yield how, json.dumps(content)


def outcome(path: Path, read: Callable[[Path], object]) -> str:
    """Read a file: ``read``, or ``refused`` by an error that names it."""
    try:
        read(path)
    except ValueError as error:
        assert path.name in str(error)
        return 'refused'
    return 'read'


def _break_text(text: str, random: np.random.Generator) -> str:
    at = int(random.integers(len(text)))
    match random.integers(4):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + chr(int(random.integers(32, 0x250))) + text[at + 1 :]
        case 2:
            return text[:at] + text[at + int(random.integers(1, 40)) :]
        case _:
            other = int(random.integers(len(text)))
            return text[:at] + text[other : other + 40] + text[at:]


def _break_structure(content: Any, random: np.random.Generator) -> Any:
    """Replace, remove or repeat something at a random place."""
    parent, key, value = None, None, content
    while isinstance(value, list | dict) and value and random.random() > 0.15:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        parent, key = value, keys[random.integers(len(keys))]
        value = parent[key]
    junk = copy.deepcopy(JUNK[random.integers(len(JUNK))])
    if parent is None:
        return junk
    match random.integers(3):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(value))
        case _:
            parent[key] = junk
    return content
