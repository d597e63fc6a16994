import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from sealpose.datasets.readers.npz import read_npz
from tests.conftest import save_objects


def test_nested_dicts_of_arrays_come_back(tmp_path):
    path = tmp_path / 'data.npz'
    nested = {'S1': {'Walking 1': [np.arange(6, dtype=np.float32).reshape(1, 2, 3)]}}
    save_objects(path, positions=nested, metadata={'fps': 50, 'scale': np.float64(2)})
    positions, metadata = read_npz(path, 'positions', 'metadata')
    np.testing.assert_array_equal(
        positions['S1']['Walking 1'][0], nested['S1']['Walking 1'][0]
    )
    assert metadata == {'fps': 50, 'scale': 2.0}


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_is_read(tmp_path, protocol):
    payload = np.array({'a': np.ones((2, 3), np.float32)}, dtype=object)
    _write_object_entry(tmp_path / 'x.npz', pickle.dumps(payload, protocol=protocol))
    (value,) = read_npz(tmp_path / 'x.npz', 'key')
    assert value['a'].sum() == 6


def test_plain_arrays_are_read_too(tmp_path):
    np.savez(tmp_path / 'x.npz', key=np.arange(3))
    assert read_npz(tmp_path / 'x.npz', 'key')[0].tolist() == [0, 1, 2]


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_malicious_pickle_runs_nothing(tmp_path):
    marker = tmp_path / 'hacked'
    save_objects(tmp_path / 'x.npz', key={'S1': Malicious(marker)})
    with pytest.raises(ValueError, match=r"x\.npz, key 'key': it asks to load posix"):
        read_npz(tmp_path / 'x.npz', 'key')
    assert not marker.exists()


def test_numpy_functions_beyond_arrays_are_not_admitted(tmp_path):
    class Loader:
        def __reduce__(self):
            return np.load, ('/etc/passwd',)

    save_objects(tmp_path / 'x.npz', key=[Loader()])
    with pytest.raises(ValueError, match='which may run code'):
        read_npz(tmp_path / 'x.npz', 'key')


def test_missing_key_is_named_with_those_present(tmp_path):
    np.savez(tmp_path / 'x.npz', positions_2d=np.zeros(1))
    with pytest.raises(
        ValueError, match="no key 'positions_3d'; it holds: positions_2d"
    ):
        read_npz(tmp_path / 'x.npz', 'positions_3d')


def test_a_file_that_is_no_npz_is_named(tmp_path):
    path = tmp_path / 'x.npz'
    path.write_text('<html>not found</html>')
    with pytest.raises(ValueError, match=r'x\.npz is not an npz file'):
        read_npz(path, 'key')


def test_a_truncated_object_array_is_named(tmp_path):
    payload = pickle.dumps(np.array({'a': np.ones(100)}, dtype=object))
    _write_object_entry(tmp_path / 'x.npz', payload[:50])
    with pytest.raises(ValueError, match="key 'key'"):
        read_npz(tmp_path / 'x.npz', 'key')


def _write_object_entry(path, payload: bytes) -> None:
    stream = io.BytesIO()
    header = dict(descr='|O', fortran_order=False, shape=())
    np.lib.format.write_array_header_1_0(stream, header)
    stream.write(payload)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('key.npy', stream.getvalue())
