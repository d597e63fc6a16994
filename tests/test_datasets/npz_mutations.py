"""Damaged npz files: in the zip, and inside it where no checksum protects anything."""

import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sealpose.datasets.readers.npz import read_npz

KEYS = ('positions', 'plain', 'metadata')


def payloads() -> list[dict[str, bytes]]:
    """The npy entries of small files, in every pickle protocol that occurs."""
    random = np.random.default_rng(0)
    clip = random.normal(size=(3, 2, 3)).astype(np.float32)
    positions = {'S1': {'Walking': clip, 'Eating': [clip[..., :2], clip[1:, :, :2]]}}
    metadata = {'fps': 50, 'scale': np.float64(2), 'names': np.array(['a', 'b']), 2: ()}
    return [
        {
            'positions': _npy(positions, protocol),
            'plain': _plain(clip),
            'metadata': _npy(metadata, protocol),
        }
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ]


def mutated_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield what was done to each file, and its bytes.

    Args:
        count: Number of files.
        seed: Chooses the mutations.
    """
    random = np.random.default_rng(seed)
    originals = payloads()
    for _ in range(count):
        entries = dict(originals[random.integers(len(originals))])
        how = ('zip', *MUTATIONS)[random.integers(len(MUTATIONS) + 1)]
        if how == 'zip':
            mutate = list(MUTATIONS.values())[random.integers(len(MUTATIONS))]
            yield how, mutate(_zip(entries), random)
            continue
        key = KEYS[random.integers(len(KEYS))]
        for _ in range(random.integers(1, 4)):
            entries[key] = MUTATIONS[how](entries[key], random)
        yield how, _zip(entries)


def outcome(path: Path) -> str:
    """Read all of a file: ``read``, or ``refused`` by an error that names the file."""
    try:
        read_npz(path, *KEYS)
    except ValueError as error:
        assert path.name in str(error)
        return 'refused'
    return 'read'


def write_entry(path: Path, payload: bytes, shape: tuple = ()) -> None:
    """Write an npz whose entry ``key`` is an object array with this pickle."""
    stream = io.BytesIO()
    header = dict(descr='|O', fortran_order=False, shape=shape)
    np.lib.format.write_array_header_1_0(stream, header)
    path.write_bytes(_zip({'key': stream.getvalue() + payload}))


def _npy(value: object, protocol: int) -> bytes:
    stream = io.BytesIO()
    header = dict(descr='|O', fortran_order=False, shape=())
    np.lib.format.write_array_header_1_0(stream, header)
    payload = np.empty((), object)
    payload[()] = value
    return stream.getvalue() + pickle.dumps(payload, protocol)


def _plain(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _zip(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as archive:
        for key, data in entries.items():
            archive.writestr(f'{key}.npy', data)
    return stream.getvalue()


def _flip(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(random.integers(1, 4)):
        if changed:
            changed[random.integers(len(changed))] ^= 1 << random.integers(8)
    return bytes(changed)


def _overwrite(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    size = min(int(random.integers(1, 9)), len(changed))
    at = int(random.integers(len(changed) - size + 1))
    changed[at : at + size] = random.bytes(size)
    return bytes(changed)


def _truncate(data: bytes, random: np.random.Generator) -> bytes:
    return data[: random.integers(len(data) + 1)]


def _splice(data: bytes, random: np.random.Generator) -> bytes:
    """Repeat, move or drop a piece."""
    begin, end, at = sorted(random.integers(len(data) + 1, size=3).tolist())
    order = random.permutation(3)
    pieces = data[begin:end], data[end:at], data[begin:end] * int(random.integers(3))
    return data[:begin] + b''.join(pieces[i] for i in order) + data[at:]


def _opcode(data: bytes, random: np.random.Generator) -> bytes:
    """Put an instruction of pickle, with an extreme argument, anywhere."""
    codes = [value for name, value in vars(pickle).items() if _is_opcode(name, value)]
    code = codes[random.integers(len(codes))]
    argument = (b'', b'\xff' * 4, b'\xff\xff\xff\x7f', b'\x00\x00\x00\x40', b'\xff' * 8)
    at = int(random.integers(len(data) + 1))
    return data[:at] + code + argument[random.integers(len(argument))] + data[at:]


def _is_opcode(name: str, value: object) -> bool:
    return name.isupper() and isinstance(value, bytes) and len(value) == 1


MUTATIONS = {
    'flip': _flip,
    'overwrite': _overwrite,
    'truncate': _truncate,
    'splice': _splice,
    'opcode': _opcode,
}
