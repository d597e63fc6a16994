"""Arrays of a data set, kept beside its files and mapped from there the next time."""

import hashlib
import json
import logging
import os
import secrets
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from sealpose.datasets.columns import column_types
from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.skeletons import Skeleton

CACHE_FOLDER = '.sealpose_cache'
INDEX = 'index.json'
BLOCK = 1 << 20


class CacheWriteError(Exception):
    """The cache cannot be written: no permission, no space."""


def cache_key(kind: type, settings: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Make a key of all that decides what is in a cache.

    Args:
        kind: Class of the data set; the code of its module, of those of its bases, and
            of what sealpose reads data with is part of the key.
        settings: What it was told.
        files: What it reads; in full, so that no change goes unnoticed.
    """
    what = (kind.__module__, kind.__qualname__, sorted(settings.items()))
    digest = hashlib.blake2b(repr(what).encode(), digest_size=10)
    for file in (*files, *_code(kind)):
        digest.update(f'{file.name} {file.stat().st_size} '.encode())
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def _code(kind: type) -> list[Path]:
    package = Path(__file__).parents[1]
    folders = [package / 'datasets', package / 'geometry']
    modules = [sys.modules.get(base.__module__) for base in kind.__mro__]
    own = [Path(getattr(module, '__file__', None) or '') for module in modules]
    shared = [path for folder in folders for path in sorted(folder.rglob('*.py'))]
    return [*shared, *(path for path in own if path.is_file())]


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
        # Whatever is wrong with the files, they can be written again.
        except Exception as error:
            _warn(f'the cache {folder} is damaged ({error}); reading the files again')
            shutil.rmtree(folder, ignore_errors=True)
    try:
        return _write(folder, load, skeleton)
    except CacheWriteError as error:
        _warn(f'no cache can be written: {error}')
        return SequenceStore.build(load(), skeleton)


class _FileColumn:
    """An array that grows in a file, and the checksum of what went there."""

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: type) -> None:
        self._path, self._row_shape, self._dtype = path, row_shape, dtype
        self._stream = open(path, 'wb')  # noqa: SIM115 (closed by finish)
        self.checksum = 0

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        data = np.ascontiguousarray(rows, self._dtype).data
        self.checksum = zlib.crc32(data, self.checksum)
        with _write_errors():
            self._stream.write(data)

    def finish(self) -> np.ndarray:
        """Return the whole array, mapped."""
        self.close()
        return _mapped(self._path, self._row_shape, self._dtype)

    def close(self) -> None:
        """Close the file."""
        with _write_errors():
            self._stream.close()


def _write(
    folder: Path, load: Callable[[], Iterable[PoseSequence]], skeleton: Skeleton
) -> SequenceStore:
    """Write into a folder of another name, then rename: all or nothing."""
    with _write_errors():
        temporary = folder.with_name(f'writing-{os.getpid()}-{secrets.token_hex(4)}')
        temporary.mkdir(parents=True)
    columns = {}
    try:
        with _write_errors():
            for name, of_rows in column_types(skeleton).items():
                columns[name] = _FileColumn(_file(temporary, name), *of_rows)
        # Its arrays stay mapped when their folder is renamed, and when it is removed
        # because another process was faster.
        store = SequenceStore.build(load(), skeleton, columns)
        index = dict(
            sequences=store.sequences,
            checksums={name: column.checksum for name, column in columns.items()},
        )
        index['checksum'] = _index_checksum(index)
        with _write_errors():
            (temporary / INDEX).write_text(json.dumps(index), encoding='utf-8')
            _rename(temporary, folder)
        return store
    finally:
        for column in columns.values():
            with suppress(CacheWriteError):
                column.close()
        shutil.rmtree(temporary, ignore_errors=True)


def _rename(temporary: Path, folder: Path) -> None:
    try:
        os.rename(temporary, folder)
    except OSError:
        # Another process was faster; its cache is as good.
        if not folder.is_dir():
            raise


@contextmanager
def _write_errors() -> Iterator[None]:
    """Tell what is wrong with the cache from what is wrong with the data."""
    try:
        yield
    except OSError as error:
        raise CacheWriteError(error) from error


def _map(folder: Path, skeleton: Skeleton) -> SequenceStore:
    index = json.loads((folder / INDEX).read_text(encoding='utf-8'))
    if index.pop('checksum') != _index_checksum(index):
        raise ValueError(f'{INDEX} is not what was written')
    frames = sum(sequence['length'] for sequence in index['sequences'])
    arrays = {}
    for name, of_rows in column_types(skeleton).items():
        path = _file(folder, name)
        array = arrays[name] = _mapped(path, *of_rows)
        if len(array) != frames or _checksum(path) != index['checksums'][name]:
            raise ValueError(f'{name} is not what was written')
    return SequenceStore.of_arrays(arrays, index['sequences'])


def _mapped(path: Path, row_shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.memmap(path, dtype, mode='r').reshape(-1, *row_shape)


def _file(folder: Path, name: str) -> Path:
    return folder / f'{name}.bin'


def _index_checksum(index: dict) -> int:
    return zlib.crc32(json.dumps(index, sort_keys=True).encode())


def _checksum(path: Path) -> int:
    value = 0
    for block in _blocks(path):
        value = zlib.crc32(block, value)
    return value


def _blocks(path: Path) -> Iterator[memoryview]:
    """Read a file once, not through its map, so that it takes no memory."""
    buffer = memoryview(bytearray(BLOCK))
    with open(path, 'rb', buffering=0) as stream:
        while size := stream.readinto(buffer):
            yield buffer[:size]


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)
