import logging
import pickle
import zipfile

import numpy as np
import pytest
import torch

from sealpose.datasets import frame_counts, mpi_inf_3dhp, mpi_inf_3dhp_protocol
from sealpose.datasets.mpi_inf_3dhp import MPIINF3DHP
from sealpose.skeletons import get_skeleton
from tests.conftest import save_objects
from tests.mpi_inf_3dhp_data import (
    CAMERAS_OF_PSTMO,
    NAMES_17,
    pair_data,
    pair_files,
    person,
    pstmo_data,
    pstmo_files,
    relative_to_head_top,
    seen,
)

FRAMES = 8
VALID = [1, 4, 7]
# Parents in the authors' tool, which counts from 1; the root is its own.
OFFICIAL_PARENTS = [2, 16, 2, 3, 4, 2, 6, 7, 15, 9, 10, 15, 12, 13, 15, 15, 2]


@pytest.fixture
def log(monkeypatch):
    """What is printed: pairs of level and text."""
    lines = []
    for module in (mpi_inf_3dhp, frame_counts):
        monkeypatch.setattr(
            module,
            'print_log',
            lambda text, level=logging.INFO, **_: lines.append((level, text)),
        )
    return lines


@pytest.fixture
def root(tmp_path):
    return pstmo_files(tmp_path, *pstmo_data(FRAMES))


def rows(data, **wanted):
    """Keypoints in 2D and 3D of the one sequence with these properties."""
    (sequence,) = (
        sequence
        for sequence, entry in zip(
            data.store.split(), data.store.sequences, strict=True
        )
        if all(entry[key] == value for key, value in wanted.items())
    )
    return sequence.keypoints_2d.numpy(), sequence.keypoints_3d.numpy()


def test_skeleton_is_that_of_the_official_tool():
    skeleton = get_skeleton('mpi_inf_3dhp17')
    assert list(skeleton.joint_names) == NAMES_17
    parents = [
        -1 if joint == 15 else parent - 1
        for joint, parent in enumerate(OFFICIAL_PARENTS, 1)
    ]
    assert list(skeleton.parents) == parents
    assert skeleton.root == 14
    assert skeleton.left_joints == (5, 6, 7, 11, 12, 13)
    assert skeleton.right_joints == (2, 3, 4, 8, 9, 10)
    assert skeleton.joint_set('official14') == tuple(range(14))


def test_training_values_are_root_relative_metres_and_normalised(root):
    data = MPIINF3DHP(str(root))
    assert len(data.store.sequences) == 8 * 2 * 8
    pose = person(FRAMES, 3205)  # as the file has it: S3 Seq2, camera 5
    found_2d, found_3d = rows(data, subject='S3', clip='Seq2', camera='5')
    np.testing.assert_allclose(found_3d, (pose - pose[:, 14:15]) / 1000, atol=1e-6)
    np.testing.assert_allclose(found_2d, seen(pose) / 1024 - 1, atol=1e-6)


@pytest.mark.parametrize(
    ('subject', 'scale', 'offset'),
    [('TS4', 1024, [1, 1]), ('TS5', 960, [1, 0.5625]), ('TS6', 960, [1, 0.5625])],
)
def test_test_images_have_two_sizes(root, subject, scale, offset):
    data = MPIINF3DHP(str(root), split='test')
    pose = person(FRAMES, int(subject[2:]))
    size = (1920, 1080) if scale == 960 else (2048, 2048)
    found_2d, found_3d = rows(data, subject=subject)
    np.testing.assert_allclose(found_3d, (pose - pose[:, 14:15]) / 1000, atol=1e-6)
    np.testing.assert_allclose(found_2d, seen(pose, size) / scale - offset, atol=1e-6)


@pytest.mark.parametrize('split', ['val', 'test'])
def test_only_valid_frames_are_evaluated_and_the_others_are_context(root, split):
    data = MPIINF3DHP(str(root), split=split, input_frames=3, output_frames=1)
    assert [s['subject'] for s in data.metainfo['sequences']] == [
        f'TS{n}' for n in range(1, 7)
    ]
    assert [s['frames'] for s in data.metainfo['sequences']] == [3] * 6
    assert data.metainfo['headline'] == 'frame_mean'
    batch = data.gather(torch.arange(len(data)))
    assert batch['frame_idx'].flatten().tolist() == list(range(18))
    pose = person(FRAMES, 1)
    for window, frame in enumerate(VALID):
        around = [frame - 1, frame, min(frame + 1, FRAMES - 1)]
        np.testing.assert_allclose(
            batch['keypoints_2d'][window], seen(pose)[around] / 1024 - 1, atol=1e-6
        )


def impossible(train, name='S2 Seq1', camera='4', frames=(3, 4), width=11.5):
    """Move a joint so far that its normalised x is ``width - 1``."""
    train[name][0][camera]['data_2d'][list(frames), 16, 0] = 1024 * width


def test_training_is_cut_at_impossible_keypoints(tmp_path, log):
    train, _ = pstmo_data(FRAMES)
    impossible(train)
    data = MPIINF3DHP(str(pstmo_files(tmp_path, train)), input_frames=5)
    parts = [
        (s['clip'], s['length'])
        for s in data.store.sequences
        if (s['subject'], s['action'], s['camera']) == ('S2', 'Seq1', '4')
    ]
    assert parts == [('Seq1 frames 0-2 of 8', 3), ('Seq1 frames 5-7 of 8', 3)]
    assert data.store.num_frames == 8 * 2 * 8 * FRAMES - 2
    # Around the frames at the cut, their own part is repeated, not the other.
    own = seen(person(FRAMES, 2104)) / 1024 - 1
    before, after = (
        data.store.starts[data.store.sequences.index(s)]
        for s in data.store.sequences
        if s['clip'].startswith('Seq1 frames')
    )
    batch = data.gather(torch.stack([before + 2, after]))
    expected = own[[[0, 1, 2, 2, 2], [5, 5, 5, 6, 7]]]
    np.testing.assert_allclose(batch['keypoints_2d'], expected, atol=1e-6)
    assert any('train: 2 frames dropped' in text for _, text in log)


def test_the_number_dropped_is_printed_from_the_cache_too(tmp_path, log):
    train, _ = pstmo_data(FRAMES)
    impossible(train, frames=(0, 3, 7))
    root = str(pstmo_files(tmp_path, train))
    MPIINF3DHP(root)
    first = log.copy()
    log.clear()
    MPIINF3DHP(root)
    assert log == first
    assert any('train: 3 frames dropped' in text for _, text in log)


def test_the_bound_itself_is_possible_and_test_frames_are_kept(tmp_path):
    train, test = pstmo_data(FRAMES)
    impossible(train, width=11)
    test['TS1']['data_2d'][1] = 1e5
    root = str(pstmo_files(tmp_path, train, test))
    assert MPIINF3DHP(root).store.num_frames == 8 * 2 * 8 * FRAMES
    assert MPIINF3DHP(root, split='test').metainfo['sequences'][0]['frames'] == 3


def test_frame_counts_that_are_official_give_one_line(root, log, monkeypatch):
    clips = dict.fromkeys(mpi_inf_3dhp_protocol.TRAIN_CLIPS, (FRAMES, 25))
    monkeypatch.setattr(mpi_inf_3dhp_protocol, 'TRAIN_CLIPS', clips)
    counts = dict.fromkeys(mpi_inf_3dhp_protocol.TEST_FRAMES, 3)
    monkeypatch.setattr(mpi_inf_3dhp_protocol, 'TEST_FRAMES', counts)
    MPIINF3DHP(str(root))
    assert log[1:] == [
        (
            logging.INFO,
            'MPIINF3DHP train, each of 8 cameras: 128 frames, as in the official '
            'release',
        )
    ]
    log.clear()
    MPIINF3DHP(str(root), split='test')
    assert log == [
        (logging.INFO, 'MPIINF3DHP test: 18 frames, as in the official release')
    ]


def test_other_frame_counts_are_a_warning_that_lists_them(tmp_path, log):
    train, test = pstmo_data(FRAMES)
    del train['S4 Seq2']
    root = str(pstmo_files(tmp_path, train, test))
    MPIINF3DHP(root, split='test')
    level, text = log[-1]
    assert level == logging.WARNING
    assert 'TS1: 3 instead of 603, TS2: 3 instead of 540, TS3: 3 instead of 505' in text
    MPIINF3DHP(root, subjects=dict(train=['S4']))
    assert 'S4 Seq1: 8 instead of 6171, S4 Seq2: 0 instead of 6675' in log[-1][1]


def test_one_camera_with_too_few_frames_is_noticed(tmp_path, log, monkeypatch):
    clips = dict.fromkeys(mpi_inf_3dhp_protocol.TRAIN_CLIPS, (FRAMES, 25))
    monkeypatch.setattr(mpi_inf_3dhp_protocol, 'TRAIN_CLIPS', clips)
    train, _ = pstmo_data(FRAMES)
    train['S7 Seq2'][0]['6'] = {
        key: array[:5] for key, array in train['S7 Seq2'][0]['6'].items()
    }
    MPIINF3DHP(str(pstmo_files(tmp_path, train)))
    assert 'frames: S7 Seq2: 5 instead of 8.' in log[-1][1]


def test_official_counts():
    official = mpi_inf_3dhp_protocol.official_frames
    assert official(['TS2', 'TS6']) == {'TS2': 540, 'TS6': 452}
    assert sum(official([f'TS{n}' for n in range(1, 7)]).values()) == 2929
    assert official(['S3', 'S8']) == {
        'S3 Seq1': 12488, 'S3 Seq2': 12283, 'S8 Seq1': 6468, 'S8 Seq2': 6054
    }  # fmt: skip


def test_training_subjects_can_be_held_out(tmp_path):
    train, test = pstmo_data(FRAMES)
    impossible(train, 'S8 Seq1')
    root = str(pstmo_files(tmp_path, train, test))
    subjects = dict(train=[f'S{n}' for n in range(1, 8)], val=['S8'])
    val = MPIINF3DHP(root, split='val', subjects=subjects)
    assert {s['subject'] for s in val.store.sequences} == {'S8'}
    assert val.store.num_frames == 2 * 8 * FRAMES - 2
    trained = MPIINF3DHP(root, split='train', subjects=subjects).store
    assert {s['subject'] for s in trained.sequences} == set(subjects['train'])
    tested = MPIINF3DHP(root, split='test', subjects=subjects).store
    assert len(tested.sequences) == 6


def test_validation_follows_the_test_unless_it_is_given(root):
    data = MPIINF3DHP(str(root), split='val', subjects=dict(test=['TS2']))
    assert [s['subject'] for s in data.store.sequences] == ['TS2']


@pytest.mark.parametrize(
    ('split', 'subjects', 'message'),
    [
        ('train', dict(train=['S1', 'TS1']), "'train': TS1 are test data"),
        ('train', dict(train=['TS2']), "'train': TS2 are test data"),
        ('test', dict(train=['TS2']), "'train': TS2 are test data"),
        ('val', dict(val=['S8']), 'S8 would be both in the training and in the val'),
        ('train', dict(test=['S1']), 'S1 would be both in the training and in the'),
        ('val', dict(val=['S8', 'TS1']), "'val': TS1 are test data"),
        ('test', dict(test=['TS7']), "'test': expected some of S1, .* got TS7"),
        ('test', dict(test=[]), "'test': expected some of S1, .* got none"),
        ('dev', None, "splits train, val, test, not 'dev'"),
        ('train', dict(dev=['S1']), "splits train, val, test, not 'dev'"),
        ('val', ['S8'], r"expected a dict from split to subjects.*got \['S8'\]"),
    ],
)
def test_impossible_splits_are_refused(root, split, subjects, message):
    with pytest.raises(ValueError, match=message):
        MPIINF3DHP(str(root), split=split, subjects=subjects)


def test_cameras_can_be_chosen_and_do_not_concern_the_test(root):
    store = MPIINF3DHP(str(root), cameras=[8, 0]).store
    assert [s['camera'] for s in store.sequences[:2]] == ['8', '0']
    assert len(store.sequences) == 8 * 2 * 2
    assert len(MPIINF3DHP(str(root), split='test', cameras=[8]).store.sequences) == 6
    with pytest.raises(ValueError, match="S1 Seq1, cameras: no entry '3'; present: 0,"):
        MPIINF3DHP(str(root), cameras=[3])
    for wrong in ([], [-1], ['front']):
        with pytest.raises(ValueError, match='cameras: expected numbers of cameras'):
            MPIINF3DHP(str(root), cameras=wrong)


def test_the_kind_of_annotations_is_told_if_it_is_recorded(tmp_path, log):
    _, test = pstmo_data(FRAMES)
    for kind, remark in (('univ_annot3', None), ('annot3', 'truth from annot3')):
        log.clear()
        metadata = {'annotation': kind}
        save_objects(tmp_path / 'data_test_3dhp.npz', data=test, metadata=metadata)
        data = MPIINF3DHP(str(tmp_path), split='test')
        assert (logging.INFO, f'MPIINF3DHP test: annotations {kind}') in log
        assert data.metainfo.get('remarks') == remark


# The pair in the manner of VideoPose3D.


@pytest.mark.parametrize('stored', [relative_to_head_top, dict])
def test_pair_every_value_survives_however_positions_are_stored(tmp_path, stored):
    world, screen = pair_data(FRAMES)
    root = str(pair_files(tmp_path, stored(world), screen))
    data = MPIINF3DHP(root)
    assert len(data.store.sequences) == 8 * 2 * 14
    pose = person(FRAMES, 2113)  # S3 Seq2, the last camera
    found_2d, found_3d = rows(data, subject='S3', clip='Seq2', camera='13')
    np.testing.assert_allclose(found_3d, (pose - pose[:, 14:15]) / 1000, atol=2e-6)
    np.testing.assert_allclose(found_2d, seen(pose) / 1024 - 1, atol=1e-6)
    test = MPIINF3DHP(root, split='test', subjects=dict(test=['TS1', 'TS5']))
    pose = person(FRAMES, 9000)
    found_2d, found_3d = rows(test, subject='TS5')
    np.testing.assert_allclose(found_3d, (pose - pose[:, 14:15]) / 1000, atol=2e-6)
    expected = seen(pose, (1920, 1080)) / 960 - [1, 0.5625]
    np.testing.assert_allclose(found_2d, expected, atol=1e-6)
    assert [s['frames'] for s in test.metainfo['sequences']] == [FRAMES] * 2


def test_the_layout_is_what_is_there_or_what_is_asked_for(tmp_path):
    pair_files(tmp_path, *pair_data(FRAMES, cameras=9))
    assert len(MPIINF3DHP(str(tmp_path)).store.sequences) == 8 * 2 * 9
    pstmo_files(tmp_path, *pstmo_data(FRAMES))
    assert len(MPIINF3DHP(str(tmp_path)).store.sequences) == 8 * 2 * 8
    pair = MPIINF3DHP(str(tmp_path), layout='pair', cameras=[2, 7])
    assert [s['camera'] for s in pair.store.sequences] == ['2', '7'] * 16
    subjects = dict(test=['TS1', 'TS5'])
    test = MPIINF3DHP(
        str(tmp_path), split='test', layout='pair', subjects=subjects, cameras=[2, 7]
    )
    assert [s['camera'] for s in test.store.sequences] == ['0', '0']
    with pytest.raises(ValueError, match="layouts auto, pstmo, pair, not 'mmpose'"):
        MPIINF3DHP(str(tmp_path), layout='mmpose')


def test_missing_files_say_where_and_how(tmp_path):
    for layout, names in (
        ('auto', ['data_train_3dhp.npz']),
        ('pair', ['data_3d_mpi_inf_3dhp.npz', 'data_2d_mpi_inf_3dhp_gt.npz']),
    ):
        with pytest.raises(FileNotFoundError) as error:
            MPIINF3DHP(str(tmp_path), layout=layout)
        for part in (*names, 'mpi-inf.mpg.de', 'tools/dataset_converters/mpi_inf_3dhp'):
            assert part in str(error.value)


def test_another_skeleton_is_refused(root):
    with pytest.raises(ValueError, match="not 'h36m17'; MappedDataset"):
        MPIINF3DHP(str(root), skeleton='h36m17')


# Bad input: one clear error each.


def set_values(name, camera, key, value):
    def change(train, test):
        train[name][0][camera][key][2, 3] = value

    return change


def replace_array(key, make, subject='S1 Seq2', camera='2'):
    def change(train, test):
        view = train[subject][0][camera]
        view[key] = make(view[key])

    return change


def in_test(key, make):
    def change(train, test):
        test['TS3'][key] = make(test['TS3'][key])

    return change


def drop_camera(train, test):
    del train['S5 Seq2'][0]['7']


def drop_subject(train, test):
    del train['S6 Seq1'], train['S6 Seq2']


def drop_test_subject(train, test):
    del test['TS6']


def metres(train, test):
    for views, _ in train.values():
        for view in views.values():
            view['data_3d'] = view['data_3d'] / 1000


def normalised(train, test):
    for views, _ in train.values():
        for view in views.values():
            view['data_2d'] = view['data_2d'] / 1024 - 1


def no_valid_frame(train, test):
    for clip in test.values():
        clip['valid'] = np.zeros(FRAMES)


def no_frame_rate(train, test):
    train['S1 Seq1'] = train['S1 Seq1'][0]


BAD = {
    'missing camera': (
        'train', drop_camera, "S5 Seq2, cameras: no entry '7'; present: 0, 1"
    ),
    'missing subject': (
        'train', drop_subject, "_train_3dhp.npz, data: no entry 'S6 Seq1'; present: S1"
    ),
    'missing test subject': (
        'test', drop_test_subject, "_test_3dhp.npz, data: no entry 'TS6'; present: TS1"
    ),
    'empty test set': (
        'test', lambda train, test: test.clear(), "no entry 'TS1'; present: nothing"
    ),
    'no valid frame': ('test', no_valid_frame, 'none with a valid frame'),
    'valid is no mask': (
        'test', in_test('valid', lambda v: v + 0.5), 'TS3: expected `valid` to be 0 or'
    ),
    'valid is no array': ('test', in_test('valid', lambda v: {}), 'TS3: expected `val'),
    'valid of another length': (
        'test', in_test('valid', lambda v: v[1:]), r'TS3: .* 8 frames.* shape \(7,\)'
    ),
    '28 joints': (
        'train',
        replace_array('data_3d', lambda a: np.zeros((FRAMES, 28, 3))),
        r'S1 Seq2, camera 2: expected 3D positions \(frames, 17, 3\), found \(8, 28, 3',
    ),
    '2D of 3 channels': (
        'test',
        in_test('data_2d', lambda a: np.zeros((FRAMES, 17, 3))),
        r'TS3: expected 2D \(frames, 17, 2\), found \(8, 17, 3\)',
    ),
    'other length in 2D': (
        'train',
        replace_array('data_2d', lambda a: a[:6]),
        'S1 Seq2, camera 2: 8 frames of 3D positions but 6 of 2D',
    ),
    'a list for an array': (
        'train', replace_array('data_3d', list), 'camera 2: expected 3D .*, found list'
    ),
    'text in an array': (
        'train', replace_array('data_3d', lambda a: a.astype('U9')), 'found <U9'
    ),
    'objects in an array': (
        'train', replace_array('data_2d', lambda a: a.astype(object)), 'found object'
    ),
    'NaN in 3D': (
        'train', set_values('S2 Seq1', '1', 'data_3d', np.nan), 'S2/Seq1/1: .*frame 2;'
    ),
    'NaN in 2D': (
        'train', set_values('S2 Seq1', '1', 'data_2d', np.nan), 'S2/Seq1/1: .*frame 2;'
    ),
    'infinity in 2D': (
        'train', set_values('S2 Seq1', '1', 'data_2d', np.inf), 'S2/Seq1/1: .*frame 2;'
    ),
    'metres': ('train', metres, r'S1 Seq1 camera 0: a shin 0.0004\d* m long, expected'),
    'normalised 2D': ('train', normalised, 'camera 0: the 2D keypoints lie within 0'),
    'a number for cameras': (
        'train', lambda train, test: train.update({'S1 Seq1': 3}), 'S1 Seq1: expected a'
    ),
    'no frame rate': ('train', no_frame_rate, 'S1 Seq1: expected a list of the camera'),
}  # fmt: skip


@pytest.mark.parametrize(('split', 'change', 'message'), BAD.values(), ids=BAD)
def test_bad_input_gives_one_clear_error(tmp_path, split, change, message):
    train, test = pstmo_data(FRAMES)
    change(train, test)
    pstmo_files(tmp_path, train, test)
    with pytest.raises(ValueError, match=message) as error:
        MPIINF3DHP(str(tmp_path), split=split)
    assert '\n' not in str(error.value)


def drop_pair_camera(world, screen):
    world['S2']['Seq1'].pop()


def drop_2d_camera(world, screen):
    screen['S2']['Seq1'].pop()


def millimetres(world, screen):
    world['S1']['Seq1'] = [1000 * view for view in world['S1']['Seq1']]


BAD_PAIR = {
    'missing camera': ([12], drop_pair_camera, 'S2/Seq1: 13 cameras, but 14 in'),
    'missing camera in 2D': (None, drop_2d_camera, 'S2/Seq1: 14 cameras, but 13 in'),
    'camera that is not there': (
        [14], lambda world, screen: None, 'S1/Seq1: no camera 14; there are 14, from 0'
    ),
    'missing subject': (
        None, lambda world, screen: world.pop('S5'), "positions_3d: no entry 'S5'"
    ),
    'missing clip in 2D': (
        None, lambda world, screen: screen['S5'].pop('Seq2'), "S5: no entry 'Seq2'"
    ),
    'millimetres': (None, millimetres, r'S1 Seq1 camera 0: a shin [34]\d\d m long'),
    'an array without axes for cameras': (
        None,
        lambda world, screen: screen['S1'].update(Seq1=np.array(3)),
        'S1/Seq1: expected a list of cameras, found ndarray',
    ),
    'a number for cameras': (
        None, lambda world, screen: world['S1'].update(Seq1=3), 'of cameras, found int'
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ('cameras', 'change', 'message'), BAD_PAIR.values(), ids=BAD_PAIR
)
def test_bad_pair_gives_one_clear_error(tmp_path, cameras, change, message):
    world, screen = pair_data(FRAMES)
    world = relative_to_head_top(world)
    change(world, screen)
    pair_files(tmp_path, world, screen)
    with pytest.raises(ValueError, match=message) as error:
        MPIINF3DHP(str(tmp_path), cameras=cameras)
    assert '\n' not in str(error.value)


def test_a_camera_that_one_clip_of_the_pair_lacks_is_noticed(tmp_path):
    world, screen = pair_data(FRAMES)
    drop_pair_camera(world, screen)
    drop_2d_camera(world, screen)
    pair_files(tmp_path, world, screen)
    with pytest.raises(ValueError, match='S2/Seq1: no camera 13; there are 13'):
        MPIINF3DHP(str(tmp_path))


def test_a_truncated_file_is_named(root):
    path = root / 'data_train_3dhp.npz'
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match='data_train_3dhp.npz is not an npz file'):
        MPIINF3DHP(str(root))


class Crafted:
    """Unpickling it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f'open({str(self.path)!r}, "w").close()',))


def test_code_in_a_file_is_not_run(tmp_path):
    harm = tmp_path / 'harm'
    crafted = np.array(Crafted(harm), dtype=object)
    with zipfile.ZipFile(tmp_path / 'data_train_3dhp.npz', 'w') as archive:
        header = {'descr': '|O', 'fortran_order': False, 'shape': ()}
        with archive.open('data.npy', 'w') as file:
            np.lib.format.write_array_header_1_0(file, header)
            pickle.dump(crafted, file)
    with pytest.raises(ValueError, match='data_train_3dhp.npz, .* may run code'):
        MPIINF3DHP(str(tmp_path))
    assert not harm.exists()


def test_cameras_of_the_usual_codes():
    assert tuple(map(str, mpi_inf_3dhp_protocol.CAMERAS)) == CAMERAS_OF_PSTMO
