"""npz files with pickled objects inside, read without running anything.

The community stores nested dictionaries of arrays as 0-dimensional object arrays, which
numpy unpickles. Unpickling runs whatever a file asks for; this reader admits numpy
arrays and plain containers alone.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


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
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_entry(archive, path, key) for key in keys]
    except zipfile.BadZipFile as error:
        raise ValueError(f'{path} is not an npz file, or is damaged: {error}') from None


def _read_entry(archive: zipfile.ZipFile, path: Path, key: str) -> Any:
    if f'{key}.npy' not in archive.namelist():
        present = ', '.join(name.removesuffix('.npy') for name in archive.namelist())
        raise ValueError(f'{path} has no key {key!r}; it holds: {present or "nothing"}')
    try:
        return _read_array(io.BytesIO(archive.read(f'{key}.npy')))
    except (pickle.UnpicklingError, ValueError, EOFError, TypeError) as error:
        raise ValueError(f'{path}, key {key!r}: {error}') from None


def _read_array(stream: io.BytesIO) -> Any:
    if not _is_object_array(stream):
        return np.lib.format.read_array(stream, allow_pickle=False)
    array = _ArrayUnpickler(stream).load()
    if not isinstance(array, np.ndarray):
        raise ValueError(f'expected a pickled array, found {type(array).__name__}')
    return array.item() if array.ndim == 0 else array


def _is_object_array(stream: io.BytesIO) -> bool:
    """Read the header; leave the stream behind it for objects, at its start if not."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        header = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f'npy format version {version} is not supported')
    is_object = header[2].hasobject
    if not is_object:
        stream.seek(0)
    return is_object


def _latin1_bytes(text: str, encoding: str = 'latin1') -> bytes:
    """Stand in for ``_codecs.encode``, which old pickles call to write bytes."""
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'the encoding {encoding!r} is not admitted')
    return text.encode('latin1')


def _array_from_buffer(buffer: bytes, dtype: np.dtype, shape: tuple, order: str) -> Any:
    """Stand in for numpy's function of the same purpose in pickle protocol 5."""
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickler that knows numpy's arrays and scalars, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace('numpy.core', 'numpy._core')
        if (module, name) in _ADMITTED:
            return _ADMITTED[module, name]
        raise pickle.UnpicklingError(
            f'it asks to load {module}.{name}, which may run code; only numpy arrays '
            'and plain containers are admitted. Do not open this file elsewhere if you '
            'do not know where it comes from'
        )


def _numpy_function(name: str) -> Any:
    """Take one of the functions that rebuild arrays out of numpy's own pickles."""
    sample = np.zeros(1) if name == '_reconstruct' else np.float64(0)
    return sample.__reduce__()[0]


_ADMITTED = {
    ('_codecs', 'encode'): _latin1_bytes,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('numpy._core.multiarray', '_reconstruct'): _numpy_function('_reconstruct'),
    ('numpy._core.multiarray', 'scalar'): _numpy_function('scalar'),
    ('numpy._core.numeric', '_frombuffer'): _array_from_buffer,
}
