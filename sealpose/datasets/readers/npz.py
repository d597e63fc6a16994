"""npz files with pickled objects inside, read without running anything.

The community stores nested dictionaries of arrays as 0-dimensional object arrays, which
numpy unpickles. Unpickling runs whatever a file asks for; this reader admits numpy
arrays and plain containers alone (``safe_pickle``).
"""

import io
import math
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sealpose.datasets.readers.safe_pickle import ArrayUnpickler

# What no honest file does: more than this, compressed better than that.
MAX_BOMB_BYTES = 1 << 30
MAX_BOMB_RATIO = 100


def read_npz(path: str | Path, *keys: str) -> list[Any]:
    """Read entries of an npz file; object arrays must hold arrays and containers only.

    Args:
        path: The file.
        keys: Entries to read, in the order of the result.

    Returns:
        One value per key: an array, or what a 0-dimensional object array holds.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not an npz file, a missing key, or an object that is not admitted;
            the message names file and key.
    """
    path = Path(path)
    with path.open('rb') as file:
        try:
            archive = zipfile.ZipFile(file)
        # A damaged file can make zipfile, zlib or numpy raise almost anything.
        except Exception as error:
            raise ValueError(
                f'{path} is not an npz file, or is damaged: {error}'
            ) from None
        return [_read_entry(archive, path, key) for key in keys]


def _read_entry(archive: zipfile.ZipFile, path: Path, key: str) -> Any:
    if f'{key}.npy' not in archive.namelist():
        present = ', '.join(name.removesuffix('.npy') for name in archive.namelist())
        raise ValueError(f'{path} has no key {key!r}; it holds: {present or "nothing"}')
    try:
        info = archive.getinfo(f'{key}.npy')
        _check_size(info)
        with archive.open(info) as stream:
            return _read_array(io.BufferedReader(stream, 1 << 16), info.file_size)
    # See read_npz; a size that only a damaged file can claim is a MemoryError.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(
            f'{path}, key {key!r}: {reason}; the file is damaged, or not of the '
            'expected form'
        ) from None


def _check_size(info: zipfile.ZipInfo) -> None:
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > MAX_BOMB_BYTES and ratio > MAX_BOMB_RATIO:
        raise ValueError(
            f'{info.file_size / 1e9:.0f} GB were compressed {ratio:.0f} times, as no '
            'recorded motion can be'
        )


def _read_array(stream: BinaryIO, size: int) -> Any:
    shape, fortran_order, dtype = _read_header(stream)
    if not dtype.hasobject:
        return _read_plain(stream, size, shape, fortran_order, dtype)
    array = ArrayUnpickler(stream, size).load()
    if not isinstance(array, np.ndarray):
        raise ValueError(f'expected a pickled array, found {type(array).__name__}')
    return array.item() if array.ndim == 0 else array


def _read_header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f'npy format version {version} is not supported')


def _read_plain(
    stream: BinaryIO,
    size: int,
    shape: tuple[int, ...],
    fortran_order: bool,
    dtype: np.dtype,
) -> np.ndarray:
    claimed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or claimed > size:
        raise ValueError(f'claims {shape} values of {dtype} in {size} bytes')
    array = np.empty(math.prod(shape), dtype)
    if claimed and stream.readinto(memoryview(array).cast('B')) < claimed:
        raise ValueError(f'ends before its {claimed} bytes')
    return array.reshape(shape, order='F' if fortran_order else 'C')
