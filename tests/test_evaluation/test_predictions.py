import numpy as np
import pytest

from sealpose.evaluation import load_predictions, save_predictions


def predictions(**changes):
    """Two sequences of 3 and 1 frames, two joints."""
    random = np.random.default_rng(0)
    entries = {
        'keypoints_3d_pred': random.normal(size=(4, 2, 3)).astype(np.float32),
        'keypoints_3d_gt': random.normal(size=(4, 2, 3)).astype(np.float32),
        'keypoints_2d': random.normal(size=(4, 2, 2)).astype(np.float32),
        'sequence': np.array([0, 0, 0, 1]),
        'frame': np.array([0, 1, 2, 0]),
        'subject': np.array(['S9', 'S11']),
        'action': np.array(['Walking', 'Eating']),
        'clip': np.array(['Walking 1', 'Eating']),
        'camera': np.array(['54138969', '54138969']),
        'skeleton': np.array('h36m17'),
        'unit': np.array('m'),
        'space': np.array('camera, root-relative'),
        'dataset': np.array('Human36M'),
        'name': np.array('videopose_h36m'),
    }
    entries |= changes
    return {key: value for key, value in entries.items() if value is not None}


def test_round_trip_without_pickled_objects(tmp_path):
    path = tmp_path / 'new' / 'predictions.npz'
    save_predictions(path, predictions())
    found = load_predictions(path)
    assert found.keys() == predictions().keys()
    for key, value in predictions().items():
        np.testing.assert_array_equal(found[key], value)
        assert found[key].dtype == value.dtype
    assert [p.name for p in path.parent.iterdir()] == ['predictions.npz']


def test_the_name_of_the_file_is_taken_as_it_is(tmp_path):
    save_predictions(tmp_path / 'poses', predictions())
    assert (tmp_path / 'poses').is_file()


def test_incomplete_predictions_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="no key 'camera'"):
        save_predictions(tmp_path / 'p.npz', predictions(camera=None))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'frame': None}, "is not a predictions file: it has no key 'frame'"),
        (
            {'keypoints_2d': np.zeros((4, 2))},
            r"key 'keypoints_2d': expected an array of 3 dimensions.*\(4, 2\)",
        ),
        ({'frame': np.arange(3)}, "lengths of its entries differ: .*'frame': 3"),
        ({'camera': np.array(['a'])}, "lengths of its entries differ: .*'camera': 1"),
        (
            {'subject': np.array(['S9', None], dtype=object)},
            "key 'subject': .*allow_pickle",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path, changes, message):
    path = tmp_path / 'p.npz'
    np.savez(path, **predictions(**changes))
    with pytest.raises(ValueError, match=f'p.npz.*{message}'):
        load_predictions(path)


def test_files_of_another_kind_are_refused(tmp_path):
    text = tmp_path / 'text.npz'
    text.write_text('no archive')
    array = tmp_path / 'array.npz'
    with open(array, 'wb') as file:
        np.save(file, np.zeros(3))
    cut = tmp_path / 'cut.npz'
    save_predictions(cut, predictions())
    cut.write_bytes(cut.read_bytes()[:500])
    empty = tmp_path / 'empty.npz'
    empty.touch()
    for path in (text, array, cut, empty):
        with pytest.raises(ValueError, match=f'{path.name}: not a predictions file'):
            load_predictions(path)
    with pytest.raises(FileNotFoundError):
        load_predictions(tmp_path / 'nowhere.npz')
