"""Damaged and hostile npz files: each is read or refused with one clear error."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest

from sealpose.datasets.readers.npz import read_npz
from tests.conftest import ROOT
from tests.test_datasets.npz_mutations import mutated_files, outcome, write_entry

FILES = int(os.environ.get('SEALPOSE_FUZZ_FILES', '600'))


def test_a_mutated_file_is_read_or_refused(tmp_path):
    path = tmp_path / 'mutated.npz'
    ends = set()
    for _, data in mutated_files(FILES, seed=1):
        path.write_bytes(data)
        ends.add(outcome(path))
    assert ends == {'read', 'refused'}


def binary_string(text: str) -> bytes:
    return b'X' + struct.pack('<I', len(text)) + text.encode()


RECONSTRUCT = b'cnumpy._core.multiarray\n_reconstruct\n'
NDARRAY = b'cnumpy\nndarray\n'
DTYPE = b'cnumpy\ndtype\n' + binary_string('f8') + b'\x89\x88\x87R'
EMPTY = RECONSTRUCT + b'(' + NDARRAY + b'K\x00\x85C\x01btR'
# DAG of lists, each twice in the next: written out, 2 ** 64 of them.
LAUGHS = b']' + b'2\x86' * 64
BOMBS = {
    'memo entry far away': b'\x80\x02]r\xff\xff\xff\x7f.',
    'memo entry in decimal': b'\x80\x02]p2000000000\n.',
    'terabytes of bytes': b'\x80\x04\x8e' + struct.pack('<Q', 1 << 40) + b'x.',
    'terabytes of a bytearray': b'\x80\x05\x96' + struct.pack('<Q', 1 << 40) + b'x.',
    'terabytes of text': b'\x80\x04\x8d' + struct.pack('<Q', 1 << 40) + b'x.',
    'a frame of terabytes': b'\x80\x04\x95' + struct.pack('<Q', 1 << 40) + b'N.',
    'an array made in a large size': b'\x80\x03'
    + RECONSTRUCT + b'(' + NDARRAY + b'J\xff\xff\xff\x7f\x85C\x01btR.',
    'an array called into being': b'\x80\x03' + NDARRAY + b'J\xff\xff\xff\x7f\x85R.',
    'a shape without its values': b'\x80\x03' + EMPTY
    + b'(K\x01J\xff\xff\xff\x7f\x85' + DTYPE + b'\x89C\x00tb.',
    'one text encoded again and again': b'\x80\x03c_codecs\nencode\nq\x00'
    + binary_string('x' * 1_000_000) + b'q\x01' + b'h\x00h\x01\x85R' * 5000 + b'.',
    'a tuple nested as key': b'\x80\x02})' + b'\x85' * 1_000_000 + b'Ns.',
    'lists nested deeply': b'\x80\x02' + b']' * 1_000_000 + b'a' * 999_999 + b'.',
    'laughs as a dtype': b'\x80\x03' + EMPTY
    + b'(K\x01K\x00\x85' + LAUGHS + b'\x89C\x00tb.',
    'laughs as a shape': b'\x80\x03' + EMPTY
    + b'(K\x01' + LAUGHS + DTYPE + b'\x89C\x00tb.',
    'a state for a function': b'\x80\x02c_codecs\nencode\n(N}'
    + binary_string('__defaults__') + b')s\x86b.',
    'an attribute of a module': b'\x80\x04\x8c\x05numpy\x8c\x0bndarray.sort\x93.',
    'a persistent object': b'\x80\x02Pobject\n.',
}  # fmt: skip


READ_ALL = r"""
    import json, re, resource, sys, time
    from pathlib import Path
    from sealpose.datasets.readers.npz import read_npz

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    def peak():
        status = Path('/proc/self/status').read_text()
        return int(re.search(r'VmHWM:\s+(\d+)', status)[1])

    before = peak()
    ends = {}
    for path in sys.argv[1:]:
        begin = time.perf_counter()
        try:
            ends[path] = 'read', type(read_npz(path, 'key')).__name__
        except ValueError as error:
            ends[path] = 'refused', str(error)
        assert time.perf_counter() - begin < 5, path
    print(json.dumps([ends, (peak() - before) / 1024]))
"""


def test_bombs_are_refused_at_once_in_little_memory(tmp_path):
    paths = [tmp_path / f'{name}.npz' for name in BOMBS]
    for path, payload in zip(paths, BOMBS.values(), strict=True):
        write_entry(path, payload)
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(READ_ALL), *map(str, paths)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    ends, megabytes = json.loads(done.stdout)
    for path, (end, message) in ends.items():
        assert end == 'refused', path
        assert f"{path}, key 'key': " in message
        assert len(message) < len(path) + 300
    assert megabytes < 300


def test_a_header_that_claims_terabytes_is_refused(tmp_path):
    stream = io.BytesIO()
    header = dict(descr='<f4', fortran_order=False, shape=(1 << 40, 17, 3))
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(tmp_path / 'x.npz', 'w') as archive:
        archive.writestr('key.npy', stream.getvalue() + bytes(100))
    with pytest.raises(ValueError, match=r"x\.npz, key 'key': claims .* in \d+ bytes"):
        read_npz(tmp_path / 'x.npz', 'key')


def test_a_truncated_zip_is_refused(tmp_path):
    path = tmp_path / 'x.npz'
    np.savez_compressed(path, key=np.random.default_rng(0).normal(size=1000))
    whole = path.read_bytes()
    for size in (0, 3, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match='x.npz is not an npz file, or is damaged'):
            read_npz(path, 'key')


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('dtype', ['>f4', '<f8', '?', '>i2', '<U3', '>U3', 'S4', 'c8'])
def test_arrays_of_every_admitted_type_survive(tmp_path, protocol, dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    value = [array, array.T, array[:0], {'nested': np.array([array, None], object)}]
    write_entry(
        tmp_path / 'x.npz', pickle.dumps(np.array({'a': value}, object), protocol)
    )
    ((whole, turned, empty, nested),) = read_npz(tmp_path / 'x.npz', 'key')[0].values()
    for found, expected in ((whole, array), (turned, array.T), (empty, array[:0])):
        # numpy brings old pickles to the byte order of the machine.
        assert found.dtype.newbyteorder('=') == expected.dtype.newbyteorder('=')
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(nested['nested'][0], array)
