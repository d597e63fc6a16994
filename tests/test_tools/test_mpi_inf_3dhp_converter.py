"""Round trips; scipy and h5py write the release, names of joints find their places."""

import h5py
import numpy as np
import pytest
import scipy.io

from sealpose.datasets.mpi_inf_3dhp import MPIINF3DHP
from tests.mpi_inf_3dhp_data import NAMES_17, NAMES_28, image_size_of, person, seen
from tests.scripts import load_script

converter = load_script('tools/dataset_converters/mpi_inf_3dhp.py')

FRAMES = 4
TRAIN = [f'S{s} Seq{q}' for s in range(1, 9) for q in (1, 2)]
TEST = [f'TS{n}' for n in range(1, 7)]
UNIVERSAL = 0.9  # annot3 is larger by what its owner is larger
VALID = np.array([0, 1, 1, 0])


def train_pose(clip: str, camera: int, frames: int = FRAMES) -> np.ndarray:
    """The 17 joints in camera space, (T, 17, 3) mm."""
    return person(frames, 100 * TRAIN.index(clip) + camera)


def release_joints(pose: np.ndarray, seed: int) -> np.ndarray:
    """All 28 joints, flat, (T, 84): those that are not among the 17 lie anywhere."""
    pose_28 = np.random.default_rng(seed).normal(0, 3000, (len(pose), 28, 3))
    for joint, name in enumerate(NAMES_17):
        pose_28[:, NAMES_28.index(name)] = pose[:, joint]
    return pose_28


def write_train_clip(path, clip, frames=FRAMES):
    cells = {name: np.empty((14, 1), object) for name in ('annot2', 'annot3')}
    cells['univ_annot3'] = np.empty((14, 1), object)
    for camera in range(14):
        pose = release_joints(train_pose(clip, camera, frames), camera)
        cells['annot2'][camera, 0] = seen(pose).reshape(frames, 56)
        cells['annot3'][camera, 0] = pose.reshape(frames, 84)
        cells['univ_annot3'][camera, 0] = UNIVERSAL * pose.reshape(frames, 84)
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(
        path,
        {
            **cells,
            'cameras': np.arange(14, dtype=np.uint8)[None],
            'frames': np.arange(frames)[:, None],
        },
    )


def write_test_clip(path, subject):
    pose = person(FRAMES, 5000 + TEST.index(subject))
    path.parent.mkdir(parents=True, exist_ok=True)
    # MATLAB's header comes before the HDF5 data; its axes are the other way round.
    with h5py.File(path, 'w', userblock_size=512) as file:
        file['annot2'] = seen(pose, image_size_of(subject))[:, None]
        file['annot3'] = pose[:, None]
        file['univ_annot3'] = UNIVERSAL * pose[:, None]
        file['valid_frame'] = VALID[None].astype(np.uint8)
        file['bb_crop'] = np.zeros((4, FRAMES))


def write_release(root, test_folder='mpi_inf_3dhp_test_set'):
    for clip in TRAIN:
        subject, sequence = clip.split()
        write_train_clip(root / subject / sequence / 'annot.mat', clip)
    for subject in TEST:
        write_test_clip(root / test_folder / subject / 'annot_data.mat', subject)
    return root


@pytest.fixture
def release(tmp_path):
    return write_release(tmp_path / 'src')


def run(release, *options):
    return converter.main([str(release), str(release.parent / 'out'), *options])


def load(path):
    """What P-STMO's own loader gets, numpy's unpickling and all."""
    with np.load(path, allow_pickle=True) as file:
        return file['data'].item(), file['metadata'].item()


@pytest.mark.parametrize(
    ('options', 'scale'),
    [([], UNIVERSAL), (['--annotation', 'annot3'], 1)],
    ids=['univ_annot3', 'annot3'],
)
def test_every_value_arrives_in_the_layout_of_pstmo(release, options, scale):
    run(release, *options)
    train, metadata = load(release.parent / 'out/data_train_3dhp.npz')
    assert metadata['annotation'] == ('univ_annot3' if scale < 1 else 'annot3')
    assert list(train) == TRAIN
    assert [fps for _, fps in train.values()] == [
        25, 50, 25, 25, 50, 50, 25, 25, 50, 50, 25, 25, 25, 25, 25, 25
    ]  # fmt: skip
    for clip, (views, _) in train.items():
        assert list(views) == ['0', '1', '2', '4', '5', '6', '7', '8']
        for camera, view in views.items():
            pose = train_pose(clip, int(camera))
            np.testing.assert_allclose(view['data_3d'], scale * pose, rtol=1e-6)
            np.testing.assert_allclose(view['data_2d'], seen(pose), rtol=1e-6)
    test, _ = load(release.parent / 'out/data_test_3dhp.npz')
    assert list(test) == TEST
    for number, (subject, clip) in enumerate(test.items()):
        pose = person(FRAMES, 5000 + number)
        np.testing.assert_allclose(clip['data_3d'], scale * pose, rtol=1e-6)
        size = image_size_of(subject)
        np.testing.assert_allclose(clip['data_2d'], seen(pose, size), rtol=1e-6)
        np.testing.assert_array_equal(clip['valid'], VALID)


def test_the_data_set_reads_what_the_converter_wrote(release):
    run(release)
    root = str(release.parent / 'out')
    train = MPIINF3DHP(root)
    assert train.annotation == 'univ_annot3'
    entry = next(
        i
        for i, s in enumerate(train.store.sequences)
        if (s['subject'], s['clip'], s['camera']) == ('S7', 'Seq2', '6')
    )
    sequence = list(train.store.split())[entry]
    pose = train_pose('S7 Seq2', 6)
    metres = UNIVERSAL * (pose - pose[:, 14:15]) / 1000
    np.testing.assert_allclose(sequence.keypoints_3d, metres, atol=1e-6)
    np.testing.assert_allclose(sequence.keypoints_2d, seen(pose) / 1024 - 1, atol=1e-6)
    test = MPIINF3DHP(root, split='test', input_frames=3, output_frames=1)
    assert [s['frames'] for s in test.metainfo['sequences']] == [2] * 6


def test_frames_are_compared_with_the_release(release, capsys, monkeypatch):
    assert run(release) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'S1 Seq1: 4 frames from 8 cameras, expected 6416'
    assert lines[16] == 'TS1: 2 valid frames, expected 603'
    clips = dict.fromkeys(TRAIN, (FRAMES, 25))
    monkeypatch.setattr(converter, 'TRAIN_CLIPS', clips)
    monkeypatch.setattr(converter, 'TEST_FRAMES', dict.fromkeys(TEST, 2))
    assert run(release) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([x for x in lines if x.endswith(', as in the release')]) == 22


def test_frames_beyond_those_of_the_release_are_cut_off(release, monkeypatch):
    monkeypatch.setattr(
        converter, 'TRAIN_CLIPS', dict.fromkeys(TRAIN, (FRAMES - 1, 25))
    )
    run(release)
    train, _ = load(release.parent / 'out/data_train_3dhp.npz')
    view = train['S2 Seq1'][0]['8']
    pose = train_pose('S2 Seq1', 8)[: FRAMES - 1]
    np.testing.assert_allclose(view['data_3d'], UNIVERSAL * pose, rtol=1e-6)
    assert len(view['data_2d']) == FRAMES - 1


@pytest.mark.parametrize(
    'folder', ['', 'mpi_inf_3dhp_test_set/mpi_inf_3dhp_test_set'], ids=['flat', 'twice']
)
def test_the_test_set_may_lie_where_archives_unpack_to(tmp_path, folder):
    run(write_release(tmp_path / 'src', folder))
    assert list(load(tmp_path / 'out/data_test_3dhp.npz')[0]) == TEST


def test_missing_clips_are_an_error_unless_allowed(release, capsys):
    (release / 'S3/Seq2/annot.mat').unlink()
    (release / 'mpi_inf_3dhp_test_set/TS5/annot_data.mat').unlink()
    assert run(release) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'lacks 2 of 22 clips: S3 Seq2, TS5; the first should be' in error
    assert str(release / 'S3/Seq2/annot.mat') in error
    assert not (release.parent / 'out').exists()
    run(release, '--allow-missing')
    train, _ = load(release.parent / 'out/data_train_3dhp.npz')
    assert list(train) == [clip for clip in TRAIN if clip != 'S3 Seq2']


def test_a_part_leaves_the_other_file_alone(release):
    out = release.parent / 'out'
    out.mkdir()
    (out / 'data_test_3dhp.npz').write_text('old')
    for subject in TEST:
        (release / f'mpi_inf_3dhp_test_set/{subject}/annot_data.mat').unlink()
    run(release, '--allow-missing')
    assert (out / 'data_test_3dhp.npz').read_text() == 'old'
    assert sorted(path.name for path in out.iterdir()) == [
        'data_test_3dhp.npz',
        'data_train_3dhp.npz',
    ]


def test_check_lists_the_files_and_writes_nothing(release, capsys):
    assert converter.main([str(release), '--check']) == 0
    (release / 'S8/Seq1/annot.mat').unlink()
    capsys.readouterr()
    assert converter.main([str(release), '--check']) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    missing = [line for line in lines if 'missing' in line]
    assert missing == [f'S8 Seq1: missing {release / "S8/Seq1/annot.mat"}']
    assert [path.name for path in release.parent.iterdir()] == ['src']


def test_a_failure_half_way_leaves_the_old_files(release, monkeypatch):
    run(release)
    out = release.parent / 'out'
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    save = np.savez_compressed

    def fail_at_the_second(path, **entries):
        if path.name == 'data_test_3dhp.npz':
            raise OSError('disk full')
        save(path, **entries)

    monkeypatch.setattr(np, 'savez_compressed', fail_at_the_second)
    assert run(release, '--annotation', 'annot3') == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def change_mat(path, change):
    variables = {
        name: value
        for name, value in scipy.io.loadmat(path).items()
        if not name.startswith('__')
    }
    change(variables)
    scipy.io.savemat(path, variables)


def fewer_joints(variables):
    variables['annot2'][5, 0] = variables['annot2'][5, 0][:, :34]


def shorter(variables):
    variables['univ_annot3'][7, 0] = variables['univ_annot3'][7, 0][:2]


def not_a_number(variables):
    variables['univ_annot3'][0, 0][1, 5 * 3] = np.nan  # the neck


def no_cells(variables):
    variables['annot2'] = np.zeros((14, 1))


BAD_MAT = {
    'no variable': (
        lambda variables: variables.pop('univ_annot3'),
        "expected a variable 'univ_annot3', found annot2, annot3, cameras",
    ),
    'joint count': (
        fewer_joints,
        'annot2: expected frames of 28 joints, 2 numbers each, found float64 of the '
        'shape (4, 34)',
    ),
    'lengths': (shorter, "of different lengths: {'annot2': 4, 'univ_annot3': 2}"),
    'NaN': (not_a_number, 'univ_annot3: expected finite numbers'),
    'no cells': (no_cells, 'annot2: expected a cell array with one cell for each'),
    'camera': (
        lambda variables: variables.update(cameras=np.arange(8)),
        'no camera 8; it has [0, 1, 2, 3, 4, 5, 6, 7]',
    ),
}


@pytest.mark.parametrize(('change', 'message'), BAD_MAT.values(), ids=BAD_MAT)
def test_bad_annotations_name_file_and_variable(release, capsys, change, message):
    path = release / 'S1/Seq1/annot.mat'
    change_mat(path, change)
    assert run(release) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error
    assert error.count('\n') == 1


BAD_HDF5 = {
    'no variable': ('valid_frame', None, 'expected the variable valid_frame, found an'),
    'joint count': (
        'univ_annot3',
        np.zeros((FRAMES, 1, 28, 3)),
        'univ_annot3: expected frames of 17 joints, 3 numbers each, found float64 of ',
    ),
    'lengths': ('valid_frame', np.ones((1, 3)), "'univ_annot3': 4, 'valid_frame': 3}"),
    'mask': ('valid_frame', np.full((1, FRAMES), 2), 'valid_frame: expected 0 and 1'),
    'NaN': (
        'annot2', np.full((FRAMES, 1, 17, 2), np.nan), 'annot2: expected finite numbers'
    ),
}  # fmt: skip


@pytest.mark.parametrize(('name', 'value', 'message'), BAD_HDF5.values(), ids=BAD_HDF5)
def test_bad_test_annotations_name_file_and_variable(
    release, capsys, name, value, message
):
    path = release / 'mpi_inf_3dhp_test_set/TS1/annot_data.mat'
    with h5py.File(path, 'a') as file:
        del file[name]
        if value is not None:
            file[name] = value
    assert run(release) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('S1/Seq1/annot.mat', 'MATLAB 5'),
        ('mpi_inf_3dhp_test_set/TS1/annot_data.mat', 'MATLAB 7.3'),
    ],
)
def test_a_truncated_file_is_named(release, capsys, name, kind):
    path = release / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run(release) == 2
    assert f'{path} is no {kind} file, or damaged: ' in capsys.readouterr().err
