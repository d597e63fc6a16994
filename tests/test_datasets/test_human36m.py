import numpy as np
import pytest
import torch

from sealpose.datasets import Human36M
from sealpose.geometry.camera import project_to_pixels
from tests.conftest import H36M_CLIPS, h36m_files, save_objects


def test_standard_protocol(h36m_root):
    train = Human36M(str(h36m_root), split='train')
    test = Human36M(str(h36m_root), split='test', keypoints='cpn_ft_h36m_dbb')
    assert len(train.store.sequences) == 5 * 3 * 4
    assert {s['subject'] for s in test.store.sequences} == {'S9', 'S11'}
    assert test.store.num_frames == 2 * 3 * 4 * 40


def test_sub_actions_count_as_their_action(h36m_root):
    sequences = Human36M(str(h36m_root), split='test').store.sequences
    assert {s['action'] for s in sequences} == {'Directions', 'Walking'}
    assert {s['clip'] for s in sequences} == set(H36M_CLIPS)


def test_poses_are_root_relative_and_upright_in_every_camera(h36m_root):
    store = Human36M(str(h36m_root), split='test').store
    assert store.keypoints_3d[:, 0].abs().max() == 0
    head, ankle = store.keypoints_3d[:, 10, 1], store.keypoints_3d[:, 3, 1]
    assert (head < ankle).all()  # camera y points down


def test_the_cameras_are_calibrated_rotations(h36m_root):
    data = Human36M(str(h36m_root), split='test')
    for subject in ('S1', 'S11'):
        for camera in data.cameras(subject, {}):
            rotation = torch.tensor(camera.rotation)
            torch.testing.assert_close(
                rotation @ rotation.T, torch.eye(3), atol=1e-6, rtol=0
            )
            # All four look at the middle of the room from about five metres.
            middle = torch.tensor([0.0, 0.0, 0.9]) - torch.tensor(camera.position)
            pixels = project_to_pixels(rotation @ middle, camera)
            assert (pixels - 500).abs().max() < 250
            assert 4 < np.linalg.norm(camera.position) < 6


def test_2d_is_screen_normalised_by_the_camera(h36m_root):
    data = Human36M(str(h36m_root), split='test', keypoints='gt')
    first = data.store.sequences[0]
    assert first['camera'] == '54138969'
    random = np.random.default_rng(100 * 5)
    pixels = random.uniform(300, 700, (43, 17, 2)).astype(np.float32)
    expected = pixels[:40] / 1000 * 2 - [1, 1.002]
    np.testing.assert_allclose(data.store.keypoints_2d[:40], expected, atol=1e-6)


def test_missing_files_say_where_and_how(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        Human36M(str(tmp_path / 'h36m'))
    message = str(error.value)
    for part in (
        'h36m/data_3d_h36m.npz',
        'h36m/data_2d_h36m_gt.npz',
        'vision.imar.ro/human3.6m',
        'configs/seal/videopose_sample.py',
    ):
        assert part in message


def test_unknown_split_is_refused(h36m_root):
    with pytest.raises(ValueError, match="splits train, val, test, not 'dev'"):
        Human36M(str(h36m_root), split='dev')


@pytest.fixture
def broken(tmp_path):
    """Human3.6M files of which one entry was changed."""

    def write(change_3d=None, change_2d=None):
        root = h36m_files(tmp_path, frames=6)
        for name, key, change in (
            ('data_3d_h36m.npz', 'positions_3d', change_3d),
            ('data_2d_h36m_gt.npz', 'positions_2d', change_2d),
        ):
            if change is None:
                continue
            with np.load(root / name, allow_pickle=True) as archive:
                entries = {k: archive[k].item() for k in archive.files}
            change(entries[key])
            save_objects(root / name, **entries)
        return lambda: Human36M(str(root), split='test')

    return write


def test_2d_shorter_than_3d_is_refused(broken):
    def cut(positions):
        positions['S9']['Directions'][0] = positions['S9']['Directions'][0][:4]

    with pytest.raises(ValueError, match=r'S9/Directions/54138969: .* 4 frames .* 6;'):
        broken(change_2d=cut)()


def test_nan_in_the_data_is_refused(broken):
    def spoil(positions):
        positions['S11']['Walking 2'][2, 3, 0] = np.nan

    with pytest.raises(ValueError, match=r'S11/Walking 2/.* not finite .* frame 2'):
        broken(change_3d=spoil)()


def test_missing_clip_in_2d_names_file_and_clip(broken):
    with pytest.raises(ValueError, match="data_2d_h36m_gt.*no entry 'Walking 1'"):
        broken(change_2d=lambda positions: positions['S9'].pop('Walking 1'))()


def test_missing_subject_names_file_and_subject(broken):
    with pytest.raises(
        ValueError, match="data_3d_h36m.npz, positions_3d: no entry 'S9'"
    ):
        broken(change_3d=lambda positions: positions.pop('S9'))()


def test_another_joint_count_is_refused(broken):
    def reduce(positions):
        positions['S9']['Directions'] = positions['S9']['Directions'][:, :17]

    with pytest.raises(
        ValueError, match='expected the 32 joints of the release, found 17'
    ):
        broken(change_3d=reduce)()


def test_wrong_nesting_is_named(broken):
    def flatten(positions):
        positions['S9'] = positions['S9']['Directions']

    with pytest.raises(ValueError, match=r"'S9': expected a dict, found ndarray"):
        broken(change_3d=flatten)()


def test_missing_camera_is_named(broken):
    with pytest.raises(ValueError, match='one 2D track for each of 4 cameras, found 3'):
        broken(change_2d=lambda positions: positions['S9']['Directions'].pop())()
