"""Round trips; each form is written by the library of that form, in its own layout."""

import cdflib.cdfwrite
import h5py
import numpy as np
import pytest
import scipy.io

from sealpose.datasets import Human36M
from sealpose.datasets.h36m_protocol import ACTIONS
from tests.scripts import load_script

h36m = load_script('tools/dataset_converters/h36m.py')

SUBJECTS = ('S1', 'S5', 'S6', 'S7', 'S8', 'S9', 'S11')
RELEASE_NAMES = {'Photo': 'TakingPhoto', 'WalkDog': 'WalkingDog'}


def positions(seed: int, frames: int = 3) -> np.ndarray:
    """A person near the middle of the room, (T, 32, 3) mm."""
    random = np.random.default_rng(seed)
    return random.normal((0, 0, 900), 300, (frames, 32, 3))


def write_cdf(path, millimetres):
    flat = millimetres.reshape(1, len(millimetres), 96)
    writer = cdflib.cdfwrite.CDF(path, delete=True)
    writer.write_var(
        {
            'Variable': 'Pose',
            'Data_Type': 44,  # CDF_FLOAT
            'Num_Elements': 1,
            'Rec_Vary': True,
            'Dim_Sizes': list(flat.shape[1:]),
        },
        var_data=flat.astype(np.float32),
    )
    writer.close()


def write_mat(path, millimetres):
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = millimetres.reshape(len(millimetres), 96)
    scipy.io.savemat(path, {'data': cell})


def write_h5(path, millimetres):
    with h5py.File(path, 'w') as file:
        file['3D_positions'] = millimetres.reshape(len(millimetres), 96).T


FORMS = {
    'cdf': (write_cdf, 'MyPoseFeatures/D3_Positions', '.cdf', RELEASE_NAMES),
    'mat': (write_mat, 'MyPoseFeatures/D3_Positions', '.cdf.mat', RELEASE_NAMES),
    'h5': (write_h5, 'MyPoses/3D_positions', '.h5', {}),
}


def write_release(root, form, actions=('Directions', 'Photo', 'WalkDog')):
    """Write two clips of some actions of each subject; return what they hold."""
    write, folder, ending, names = FORMS[form]
    truth, seed = {}, 0
    for subject in SUBJECTS:
        (root / subject / folder).mkdir(parents=True)
        for action in actions:
            for number in ('', ' 1'):
                seed += 1
                file = f'{names.get(action, action)}{number}{ending}'
                write(root / subject / folder / file, positions(seed))
                truth[subject, action + number] = positions(seed)
    return truth


@pytest.mark.parametrize('form', FORMS)
def test_every_value_arrives_in_metres_under_the_usual_names(form, tmp_path):
    truth = write_release(tmp_path / 'src', form)
    h36m.main([str(tmp_path / 'src'), str(tmp_path / 'out')])
    with np.load(tmp_path / 'out/data_3d_h36m.npz', allow_pickle=True) as file:
        found = file['positions_3d'].item()
    del truth['S11', 'Directions']
    assert {(s, clip) for s in found for clip in found[s]} == set(truth)
    for (subject, clip), millimetres in truth.items():
        metres = found[subject][clip]
        assert metres.dtype == np.float32
        np.testing.assert_allclose(metres, millimetres / 1000, atol=1e-6)


def test_the_loader_reads_what_the_converter_wrote(tmp_path):
    write_release(tmp_path / 'src', 'h5', actions=['Eating'])
    out = tmp_path / 'out'
    h36m.main([str(tmp_path / 'src'), str(out), '--with-2d'])
    from_file = Human36M(str(out), split='test', cache=False)
    (out / 'data_2d_h36m_gt.npz').unlink()
    projected = Human36M(str(out), split='test', cache=False)
    assert from_file.store.num_frames == 2 * 2 * 4 * 3
    assert from_file.store.keypoints_2d.equal(projected.store.keypoints_2d)


def test_archives_may_lie_in_the_folder_they_unpack_to(tmp_path):
    write_release(tmp_path / 'src/h36m', 'h5', actions=['Eating'])
    h36m.main([str(tmp_path / 'src'), str(tmp_path / 'out')])
    assert (tmp_path / 'out/data_3d_h36m.npz').exists()


def test_check_names_what_is_missing_and_writes_nothing(tmp_path, capsys):
    write_release(tmp_path / 'src', 'h5', actions=ACTIONS)
    (tmp_path / 'src/S8/MyPoses/3D_positions/Smoking 1.h5').unlink()
    assert h36m.main([str(tmp_path / 'src'), '--check']) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if 'clips, found' in line] == [
        'S8 Smoking: expected 2 clips, found 1'
    ]
    assert any('149 clips, 1,788 frames' in line for line in lines)
    assert any('59 clips, 708 frames in 4 cameras, expected 543' in x for x in lines)
    assert [path.name for path in tmp_path.iterdir()] == ['src']


def test_a_complete_release_ends_with_code_0(tmp_path, monkeypatch):
    write_release(tmp_path / 'src', 'h5', actions=ACTIONS)
    counts = {'train': 5 * 30 * 3 * 4, 'test': 59 * 3 * 4}
    monkeypatch.setattr(h36m, 'FRAMES', counts)
    assert h36m.main([str(tmp_path / 'src'), '--check']) == 0


@pytest.mark.parametrize('form', FORMS)
def test_a_damaged_file_is_named_and_the_others_are_read(form, tmp_path, capsys):
    _, folder, ending, _ = FORMS[form]
    write_release(tmp_path / 'src', form, actions=['Eating'])
    broken = tmp_path / 'src/S5' / folder / f'Eating 1{ending}'
    broken.write_bytes(broken.read_bytes()[:150])
    assert h36m.main([str(tmp_path / 'src'), str(tmp_path / 'out')]) == 1
    assert str(broken) in capsys.readouterr().err
    with np.load(tmp_path / 'out/data_3d_h36m.npz', allow_pickle=True) as file:
        found = file['positions_3d'].item()
    assert set(found['S5']) == {'Eating'}
    assert set(found['S6']) == {'Eating', 'Eating 1'}


def test_other_joints_are_named(tmp_path, capsys):
    write_release(tmp_path / 'src', 'h5', actions=['Eating'])
    file = tmp_path / 'src/S5/MyPoses/3D_positions/Eating.h5'
    with h5py.File(file, 'w') as out:
        out['3D_positions'] = np.zeros((51, 7))
    h36m.main([str(tmp_path / 'src'), str(tmp_path / 'out')])
    assert 'frames of 96 numbers, found an array of the shape (7, 51)' in (
        capsys.readouterr().err
    )


def test_an_empty_folder_is_explained(tmp_path, capsys):
    assert h36m.main([str(tmp_path), str(tmp_path / 'out')]) == 2
    message = capsys.readouterr().err
    assert 'S1/MyPoseFeatures/D3_Positions/Directions 1.cdf' in message
    assert not (tmp_path / 'out').exists()
