"""Arrays of a data set, kept beside its files and mapped from there the next time."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from sealpose.datasets.sequences import PoseSequence, SequenceStore, column_types
from sealpose.skeletons import Skeleton

CACHE_FOLDER = '.sealpose_cache'
# Part of the key: raise it when the arrays would come out differently.
VERSION = 1
BLOCK = 1 << 22


def cache_key(kind: type, settings: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Make a key of all that decides what is in a cache.

    Args:
        kind: Class of the data set.
        settings: What it was told.
        files: What it reads; in full, so that no change goes unnoticed.
    """
    what = (VERSION, kind.__module__, kind.__qualname__, sorted(settings.items()))
    digest = hashlib.blake2b(repr(what).encode())
    for file in files:
        digest.update(file.name.encode())
        with open(file, 'rb') as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()[:20]


def cached_store(
    folder: Path, load: Callable[[], Iterable[PoseSequence]], skeleton: Skeleton
) -> SequenceStore:
    """Map the arrays of an earlier start; where there are none, write them first.

    The sequences go to the disk one by one, so that a data set larger than the memory
    can be read. A damaged cache is written again.

    Args:
        folder: Of the cache.
        load: Reads the sequences.
        skeleton: What their joints must fit.

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
        folder.parent.mkdir(exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix='writing-', dir=folder.parent))
    except OSError as error:
        _warn(f'no cache can be written: {error}')
        return SequenceStore.build(load(), skeleton)
    try:
        _write(temporary, load(), skeleton)
        # Another process may have been faster; its cache is as good.
        if not folder.is_dir():
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _map(folder, skeleton)


class _FileColumn:
    """An array that grows in a file, and the checksum of what went there."""

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: type) -> None:
        self._path, self._row_shape, self._dtype = path, row_shape, dtype
        self._stream = open(path, 'wb')  # noqa: SIM115 (closed by finish)
        self.checksum = 0

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        data = np.ascontiguousarray(rows, self._dtype).data
        self._stream.write(data)
        self.checksum = zlib.crc32(data, self.checksum)

    def finish(self) -> np.ndarray:
        """Return the whole array, mapped."""
        self._stream.close()
        return _mapped(self._path, self._row_shape, self._dtype)


def _write(folder: Path, sequences: Iterable[PoseSequence], skeleton: Skeleton) -> None:
    columns = {
        name: _FileColumn(_file(folder, name), *of_rows)
        for name, of_rows in column_types(skeleton).items()
    }
    store = SequenceStore.build(sequences, skeleton, columns)
    index = dict(
        sequences=store.sequences,
        checksums={name: column.checksum for name, column in columns.items()},
    )
    (folder / 'index.json').write_text(json.dumps(index), encoding='utf-8')


def _map(folder: Path, skeleton: Skeleton) -> SequenceStore:
    index = json.loads((folder / 'index.json').read_text(encoding='utf-8'))
    frames = sum(sequence['length'] for sequence in index['sequences'])
    arrays = {}
    for name, of_rows in column_types(skeleton).items():
        array = arrays[name] = _mapped(_file(folder, name), *of_rows)
        if len(array) != frames or _checksum(array) != index['checksums'][name]:
            raise ValueError(f'{name} is not what was written')
    return SequenceStore.of_arrays(arrays, index['sequences'])


def _mapped(path: Path, row_shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.memmap(path, dtype, mode='r').reshape(-1, *row_shape)


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
