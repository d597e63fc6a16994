"""Arrays of a data set, kept beside its files and mapped from there the next time."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from sealpose.datasets.sequences import PoseSequence, SequenceStore, checked
from sealpose.skeletons import Skeleton

CACHE_FOLDER = '.sealpose_cache'
# Part of the key: raise it when the arrays would come out differently.
VERSION = 1
# Array to its type and the number of values of a joint; None: one for each frame.
ARRAYS = {
    'keypoints_2d': ('<f4', 2),
    'keypoints_3d': ('<f4', 3),
    'valid': ('|b1', None),
}
BLOCK = 1 << 22

Sequences = Callable[[], Iterable[PoseSequence]]


def cache_key(name: str, files: Sequence[Path], settings: Mapping[str, Any]) -> str:
    """Name a cache after all that decides what is in it.

    Args:
        name: Of the data set.
        files: Read in full, so that no change goes unnoticed.
        settings: What else decides the arrays.
    """
    digest = hashlib.blake2b(repr((VERSION, sorted(settings.items()))).encode())
    for file in files:
        digest.update(file.name.encode())
        with open(file, 'rb') as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    return f'{name}-{digest.hexdigest()[:20]}'


def cached_store(
    sequences: Sequences, skeleton: Skeleton, folder: Path
) -> SequenceStore:
    """Map the arrays of an earlier start; where there are none, write them first.

    The sequences go to the disk one by one, so that a data set larger than the memory
    can be read. A damaged cache is written again.

    Args:
        sequences: Reads the sequences.
        skeleton: What their joints must fit.
        folder: Of the cache.

    Raises:
        ValueError: as :meth:`SequenceStore.build`.
    """
    if folder.is_dir():
        try:
            return _map(folder, skeleton)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _warn(f'the cache {folder} is damaged ({error}); reading the files again')
            shutil.rmtree(folder, ignore_errors=True)
    try:
        _write(checked(sequences(), skeleton), folder)
        return _map(folder, skeleton)
    except OSError as error:
        _warn(f'no cache was written: {error}')
        return SequenceStore.build(sequences(), skeleton)


def _write(sequences: Iterable[PoseSequence], folder: Path) -> None:
    """Write into a folder of another name, then rename: all or nothing."""
    folder.parent.mkdir(exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix='writing-', dir=folder.parent))
    try:
        index = _write_arrays(sequences, temporary)
        (temporary / 'index.json').write_text(json.dumps(index), encoding='utf-8')
        # Another process may have been faster; its cache is as good.
        if not folder.is_dir():
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_arrays(sequences: Iterable[PoseSequence], folder: Path) -> dict:
    checksums, descriptions = dict.fromkeys(ARRAYS, 0), []
    with ExitStack() as stack:
        streams = {
            name: stack.enter_context(open(_file(folder, name), 'wb'))
            for name in ARRAYS
        }
        for sequence in sequences:
            for name, stream in streams.items():
                values = getattr(sequence, name).contiguous().numpy()
                stream.write(values.data)
                checksums[name] = zlib.crc32(values.data, checksums[name])
            descriptions.append(sequence.describe())
    return dict(sequences=descriptions, checksums=checksums)


def _map(folder: Path, skeleton: Skeleton) -> SequenceStore:
    index = json.loads((folder / 'index.json').read_text(encoding='utf-8'))
    frames = sum(sequence['length'] for sequence in index['sequences'])
    arrays = {}
    for name, (dtype, channels) in ARRAYS.items():
        shape = (frames, skeleton.num_joints, channels) if channels else (frames,)
        # Copy-on-write, so that torch may take it for writable; nothing ever writes.
        array = np.memmap(_file(folder, name), dtype, mode='c').reshape(shape)
        if _checksum(array) != index['checksums'][name]:
            raise ValueError(f'{name} does not have the checksum it was written with')
        arrays[name] = torch.from_numpy(array)
    return SequenceStore(**arrays, sequences=index['sequences'])


def _file(folder: Path, name: str) -> Path:
    return folder / f'{name}.bin'


def _checksum(array: np.ndarray) -> int:
    flat = array.reshape(-1).view(np.uint8)
    value = 0
    for start in range(0, len(flat), BLOCK):
        value = zlib.crc32(flat[start : start + BLOCK], value)
    return value


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)
