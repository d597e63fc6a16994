"""Unpickles numpy arrays in plain containers, whatever a file tries.

The unpickler of the standard library that is written in C reserves what a file claims,
the place of a memo entry for example. This one is that written in Python, with fewer
instructions, and with a limit on what they may produce together: what is in the file.
"""

import math
import pickle
import re
from typing import Any, BinaryIO

import numpy as np

# Numbers, booleans, text, and objects, which are lists of admitted things.
SIMPLE_DTYPE = re.compile(r'[<>|=]?([biufc]\d{1,2}|[SU]\d{1,4}|\?|O8?)')
NDARRAY = object()


class ArrayUnpickler(pickle._Unpickler):
    """Knows dictionaries, lists, tuples, numbers, text and numpy's arrays and scalars.

    Args:
        stream: Where to read the pickle.
        size: Bytes that there are at most.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__(_Limited(stream, size))
        self._text_left = self._arrays_left = size
        self._admitted = {
            ('_codecs', 'encode'): self._latin1_bytes,
            ('__builtin__', 'bytes'): _no_bytes,
            ('numpy', 'ndarray'): NDARRAY,
            ('numpy', 'dtype'): _simple_dtype,
            ('numpy._core.multiarray', '_reconstruct'): _empty_array,
            ('numpy._core.multiarray', 'scalar'): _scalar,
            ('numpy._core.numeric', '_frombuffer'): self._array_from_buffer,
        }

    def load(self) -> Any:
        """Read the pickle; afterwards only the result refers to the arrays."""
        try:
            return super().load()
        finally:
            self.memo.clear()

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for an admitted function."""
        module = module.replace('numpy.core', 'numpy._core')
        if (module, name) in self._admitted:
            return self._admitted[module, name]
        raise pickle.UnpicklingError(
            f'it asks to load {module}.{name}, which may run code; only numpy arrays '
            'and plain containers are admitted. Do not open this file elsewhere if you '
            'do not know where it comes from'
        )

    def load_build(self) -> None:
        """Fill an array, or set the byte order of a dtype; nothing else has a state."""
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, np.ndarray):
            self._fill(made, *state)
        elif isinstance(made, np.dtype):
            _set_byte_order(made, state[1])
        else:
            raise pickle.UnpicklingError(f'a {_kind(made)} has no state')

    def load_setitem(self) -> None:
        """Put one entry into a dictionary."""
        value = self.stack.pop()
        key = self.stack.pop()
        _put(self.stack[-1], [key, value])

    def load_setitems(self) -> None:
        """Put entries into a dictionary."""
        items = self.pop_mark()
        _put(self.stack[-1], items)

    def load_bytearray8(self) -> None:
        """Read bytes first: the original reserves what the file claims."""
        size = int.from_bytes(self.read(8), 'little')
        self.append(bytearray(self.read(size)))

    def _fill(
        self,
        array: np.ndarray,
        version: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        fortran_order: bool,
        values: bytes | list,
    ) -> None:
        if not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f'a {_kind(dtype)} for a dtype')
        count = _count(shape)
        if dtype.hasobject:
            fits = type(values) is list and len(values) == count
        else:
            fits = type(values) is bytes and len(values) == count * dtype.itemsize
        if not fits:
            raise pickle.UnpicklingError(f'an array {shape} has other values than it')
        self._arrays_left = _spend(self._arrays_left, len(values))
        array.__setstate__((1, shape, dtype, bool(fortran_order), values))

    def _latin1_bytes(self, text: str, encoding: str = 'latin1') -> bytes:
        """Stand in for ``_codecs.encode``, which old pickles call to write bytes."""
        if encoding not in ('latin1', 'latin-1'):
            raise pickle.UnpicklingError('an encoding other than latin1')
        self._text_left = _spend(self._text_left, len(text))
        return text.encode('latin1')

    def _array_from_buffer(
        self, buffer: bytes, dtype: np.dtype, shape: tuple[int, ...], order: str
    ) -> np.ndarray:
        """Stand in for numpy's function of the same purpose in pickle protocol 5."""
        _count(shape)
        return np.frombuffer(buffer, dtype).reshape(shape, order=order)


class _Limited:
    """A stream that never gives, nor tries to give, more than there is."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        if size > self._left:
            raise EOFError(f'ends before {size} more bytes that it claims to have')
        data = self._stream.read(size)
        if len(data) < size:
            raise EOFError('ends too early')
        self._left -= size
        return data

    def readline(self) -> bytes:
        line = self._stream.readline()
        self._left -= len(line)
        return line

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[:] = data
        return len(data)


def _put(target: Any, items: list) -> None:
    if type(target) is not dict:
        raise pickle.UnpicklingError(f'entries for a {_kind(target)}')
    for key, value in zip(items[::2], items[1::2], strict=True):
        # Hashing a tuple nested a million times deep would crash the interpreter.
        if not isinstance(key, str | bytes | int | float | None):
            raise pickle.UnpicklingError(f'a {_kind(key)} as key')
        target[key] = value


def _count(shape: Any) -> int:
    """Return the number of values of a shape."""
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f'a {_kind(shape)} as shape of an array')
    return math.prod(shape)


def _kind(value: Any) -> str:
    """Name what is there; writing it out could take forever."""
    return type(value).__name__


def _spend(left: int, size: int) -> int:
    """Refuse what repeats the same bytes until no memory is left."""
    if size > left:
        raise pickle.UnpicklingError('it unpacks to more than is in it')
    return left - size


def _simple_dtype(text: str, align: bool = False, copy: bool = True) -> np.dtype:
    if type(text) is not str or not SIMPLE_DTYPE.fullmatch(text):
        raise pickle.UnpicklingError('a dtype other than numbers and text')
    return np.dtype(text, copy=True)


def _set_byte_order(dtype: np.dtype, order: str) -> None:
    if order not in ('<', '>', '=', '|'):
        raise pickle.UnpicklingError('an unknown byte order')
    if order != '>' or dtype.itemsize == 1 or dtype.hasobject:
        return
    text = dtype.kind == 'U'
    size = dtype.itemsize if text else -1
    dtype.__setstate__((3, '>', None, None, None, size, 4 if text else -1, 0))


def _no_bytes() -> bytes:
    """Stand in for ``bytes``, which old pickles call for those without content."""
    return b''


def _empty_array(kind: Any, shape: tuple, typecode: bytes) -> np.ndarray:
    """Stand in for ``_reconstruct``: an array that its state is about to fill."""
    if kind is not NDARRAY or shape != (0,):
        raise pickle.UnpicklingError('an array that is not made empty and filled')
    return np.empty(0, np.int8)


def _scalar(dtype: np.dtype, data: bytes) -> np.generic:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError('a scalar that is no number')
    (value,) = np.frombuffer(data, dtype)
    return value


class _Instructions(dict):
    def __missing__(self, code: int) -> None:
        raise pickle.UnpicklingError(f'the instruction {code} is not admitted')


def _admitted_instructions() -> _Instructions:
    """Choose the instructions: no sets, persistent or registered objects, classes."""
    names = """
        PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWFALSE NEWTRUE INT BININT BININT1
        BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT SHORT_BINBYTES BINBYTES BINBYTES8
        UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2
        TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT PUT BINPUT LONG_BINPUT MEMOIZE
        GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE
    """
    codes = {getattr(pickle, name)[0] for name in names.split()}
    own = {
        pickle.BUILD[0]: ArrayUnpickler.load_build,
        pickle.SETITEM[0]: ArrayUnpickler.load_setitem,
        pickle.SETITEMS[0]: ArrayUnpickler.load_setitems,
        pickle.BYTEARRAY8[0]: ArrayUnpickler.load_bytearray8,
    }
    return _Instructions({c: pickle._Unpickler.dispatch[c] for c in codes} | own)


ArrayUnpickler.dispatch = _admitted_instructions()
