"""Shards: a folder of small stores that together are larger than the memory."""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.columns import column_types
from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.skeletons import Skeleton, get_skeleton

VERSION = 1
INDEX = 'index.json'


@dataclass(frozen=True)
class ShardEntry:
    """What the index of a store says of a shard.

    Attributes:
        name: Its folder.
        frames: Frames in it.
        evaluated: Those that are valid.
        sequences: Number of its sequences.
    """

    name: str
    frames: int
    evaluated: int
    sequences: int


@dataclass(frozen=True)
class ShardIndex:
    """The index of a folder of shards.

    Attributes:
        skeleton: Name of the skeleton.
        meta: Further entries of the data set's ``metainfo``.
        shards: The shards, in order.
    """

    skeleton: str
    meta: dict[str, Any]
    shards: list[ShardEntry] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> 'ShardIndex':
        """Read the index of a folder.

        Raises:
            FileNotFoundError: the folder holds no finished shards.
            ValueError: a malformed index.
        """
        if not (folder / INDEX).is_file():
            raise FileNotFoundError(
                f'{folder} holds no finished shards (no {INDEX}); write them with '
                'tools/dataset_converters/shard.py'
            )
        content = _read_json(folder / INDEX)
        if content.get('version') != VERSION:
            raise ValueError(
                f'{folder / INDEX} has version {content.get("version")!r}, this '
                f'program reads version {VERSION}; write the shards again'
            )
        try:
            shards = [ShardEntry(**entry) for entry in content['shards']]
            return cls(content['skeleton'], dict(content['meta']), shards)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{folder / INDEX} is not an index of shards: {error!r}'
            ) from error


def write_shards(
    sequences: Iterable[PoseSequence],
    folder: Path,
    skeleton: Skeleton,
    shard_frames: int,
    meta: dict[str, Any],
) -> ShardIndex:
    """Write sequences into shards.

    A shard is written under another name and then renamed, and the index comes last:
    what can be read is complete. Memory holds one shard at a time.

    Args:
        sequences: In order; read one by one.
        folder: Of the shards; must not exist, or be left from an attempt that broke
            off.
        skeleton: What the joints must fit.
        shard_frames: A shard is closed when it has so many frames. A sequence is never
            divided.
        meta: Entries of the ``metainfo`` that readers return, without ``skeleton`` and
            ``sequences``; plain values.

    Raises:
        FileExistsError: the folder holds finished shards.
        ValueError: as :meth:`SequenceStore.build`.
    """
    if (folder / INDEX).exists():
        raise FileExistsError(
            f'{folder} already holds finished shards; remove it or choose another'
        )
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in [*folder.glob('shard-*'), *folder.glob('writing-*')]:
        shutil.rmtree(left_over)
    index = ShardIndex(skeleton.name, meta)
    for number, group in enumerate(_groups(sequences, shard_frames)):
        store = SequenceStore.build(group, skeleton)
        index.shards.append(_write_shard(store, folder, f'shard-{number:05d}'))
    if not index.shards:
        raise ValueError('the data set holds no sequence with a valid frame')
    _write_json(folder / INDEX, dict(version=VERSION, **asdict(index)))
    return index


def map_shard(
    folder: Path, entry: ShardEntry, skeleton: Skeleton
) -> dict[str, np.ndarray]:
    """Map the arrays of a shard.

    Args:
        folder: Of the shards.
        entry: The shard.
        skeleton: What the arrays must fit.

    Returns:
        The arrays by the names of :func:`column_types`.

    Raises:
        ValueError: a file is missing, cut short, or does not fit the index.
    """
    arrays = {}
    for name, (row_shape, dtype) in column_types(skeleton).items():
        path = folder / entry.name / f'{name}.npy'
        try:
            array = np.load(path, mmap_mode='r', allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ValueError(f'{path} cannot be mapped: {error}') from error
        if array.shape != (entry.frames, *row_shape) or array.dtype != dtype:
            raise ValueError(
                f'{path} holds {array.dtype} {array.shape}, but the index of the store '
                f'promises {np.dtype(dtype)} {(entry.frames, *row_shape)}'
            )
        arrays[name] = array
    return arrays


def read_sequences(folder: Path, entry: ShardEntry) -> list[dict]:
    """Read the descriptions of the sequences of a shard.

    Args:
        folder: Of the shards.
        entry: The shard.

    Returns:
        As in :class:`SequenceStore`, each with ``frames``, those that are evaluated.

    Raises:
        ValueError: they do not fit the index.
    """
    path = folder / entry.name / INDEX
    sequences = _read_json(path).get('sequences', [])
    try:
        totals = tuple(sum(s[key] for s in sequences) for key in ('length', 'frames'))
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path} does not describe sequences: {error!r}') from error
    if totals != (entry.frames, entry.evaluated):
        raise ValueError(
            f'{path} describes (frames, evaluated frames) {totals}, but the index of '
            f'the store promises {(entry.frames, entry.evaluated)}'
        )
    return sequences


def shard_skeleton(index: ShardIndex, folder: Path) -> Skeleton:
    """Return the skeleton that a store names.

    Raises:
        ValueError: none of that name is registered.
    """
    try:
        return get_skeleton(index.skeleton)
    except KeyError as error:
        raise ValueError(f'{folder / INDEX}: {error.args[0]}') from error


def _groups(
    sequences: Iterable[PoseSequence], shard_frames: int
) -> Iterator[list[PoseSequence]]:
    """Group sequences into shards; those without a valid frame are left out."""
    group: list[PoseSequence] = []
    frames = 0
    for sequence in sequences:
        if sequence.valid is not None and not sequence.valid.any():
            continue
        group.append(sequence)
        frames += len(sequence.keypoints_3d)
        if frames >= shard_frames:
            yield group
            group, frames = [], 0
    if group:
        yield group


def _write_shard(store: SequenceStore, folder: Path, name: str) -> ShardEntry:
    temporary = folder / f'writing-{os.getpid()}-{secrets.token_hex(4)}'
    temporary.mkdir()
    try:
        for column in ('keypoints_2d', 'keypoints_3d', 'valid'):
            np.save(temporary / f'{column}.npy', getattr(store, column).numpy())
        counts = [entry['frames'] for entry in store.evaluated()]
        sequences = [
            dict(entry, frames=frames)
            for entry, frames in zip(store.sequences, counts, strict=True)
        ]
        _write_json(temporary / INDEX, dict(sequences=sequences))
        for path in temporary.iterdir():
            _sync(path)
        os.rename(temporary, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return ShardEntry(name, store.num_frames, sum(counts), len(sequences))


def _write_json(path: Path, content: dict) -> None:
    temporary = path.with_name(f'{path.name}.writing')
    temporary.write_text(json.dumps(content), encoding='utf-8')
    _sync(temporary)
    os.replace(temporary, path)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk, so that no rename gets there before it."""
    with open(path, 'rb') as stream:
        os.fsync(stream.fileno())


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a JSON object')
    return content
