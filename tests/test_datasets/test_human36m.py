import numpy as np
import pytest
import torch

from sealpose.datasets import Human36M, frame_counts, h36m_protocol
from sealpose.datasets.h36m_cameras import EXTRINSICS, INTRINSICS
from sealpose.geometry.camera import project_to_pixels
from tests.conftest import H36M_CLIPS, h36m_files, save_objects

# Where the 17 joints lie among the 32, hip, right leg, left leg, spine, left arm, right
# arm: the indices of the release, written down again.
OF_32 = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]


def test_standard_protocol(h36m_root):
    train = Human36M(str(h36m_root), split='train')
    test = Human36M(str(h36m_root), split='test', keypoints='cpn_ft_h36m_dbb')
    assert len(train.store.sequences) == 5 * 3 * 4
    assert {s['subject'] for s in test.store.sequences} == {'S9', 'S11'}
    # Directions of S11 is left out.
    assert len(test.store.sequences) == (3 + 2) * 4
    assert test.store.num_frames == (3 + 2) * 4 * 40


def test_the_clip_with_the_corrupt_video_is_left_out(h36m_root):
    sequences = Human36M(str(h36m_root), split='test').store.sequences
    clips = {(s['subject'], s['clip']) for s in sequences}
    assert ('S9', 'Directions') in clips
    assert ('S11', 'Directions') not in clips


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
        Human36M(str(tmp_path / 'h36m'), keypoints='cpn_ft_h36m_dbb')
    message = str(error.value)
    for part in (
        'h36m/data_3d_h36m.npz',
        'h36m/data_2d_h36m_cpn_ft_h36m_dbb.npz',
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


def slow_projection(point, subject, camera):
    """Project one world point, metres, by the formulas of the data set, in floats."""
    focal, centre, (k1, k2, k3), (p1, p2), _, _ = list(INTRINSICS.values())[camera]
    (w, *axis), position = EXTRINSICS[subject][camera]
    # The inverse of the unit quaternion turns the world into the camera.
    x, y, z = (-component for component in axis)
    v = [a - b / 1000 for a, b in zip(point, position, strict=True)]
    t = [
        2 * (y * v[2] - z * v[1]),
        2 * (z * v[0] - x * v[2]),
        2 * (x * v[1] - y * v[0]),
    ]
    cross = [y * t[2] - z * t[1], z * t[0] - x * t[2], x * t[1] - y * t[0]]
    seen = [a + w * b + c for a, b, c in zip(v, t, cross, strict=True)]
    u, v = seen[0] / seen[2], seen[1] / seen[2]
    r2 = u * u + v * v
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p1 * u + p2 * v
    return (
        focal[0] * (u * factor + p1 * r2) + centre[0],
        focal[1] * (v * factor + p2 * r2) + centre[1],
    )


def test_true_2d_is_projected_where_there_is_no_file(tmp_path):
    root = h36m_files(tmp_path, frames=5)
    with np.load(root / 'data_3d_h36m.npz', allow_pickle=True) as archive:
        world = archive['positions_3d'].item()
    tracks = {
        subject: {
            clip: [
                np.array([
                    [slow_projection(joint, subject, camera) for joint in frame[OF_32]]
                    for frame in positions.astype(float)
                ], np.float32)
                for camera in range(4)
            ]
            for clip, positions in world[subject].items()
        }
        for subject in ('S9', 'S11')
    }  # fmt: skip
    save_objects(root / 'data_2d_h36m_gt.npz', positions_2d=tracks, metadata={})
    from_file = Human36M(str(root), split='test')
    (root / 'data_2d_h36m_gt.npz').unlink()
    projected = Human36M(str(root), split='test')
    torch.testing.assert_close(
        projected.store.keypoints_2d, from_file.store.keypoints_2d, atol=3e-7, rtol=0
    )
    assert projected.store.sequences == from_file.store.sequences


def test_another_skeleton_is_refused(h36m_root):
    with pytest.raises(ValueError, match='h36m17 and h36m16, not'):
        Human36M(str(h36m_root), split='test', skeleton='coco17', keypoints='gt')


def test_downsampling_keeps_every_nth_frame_of_each_sequence(h36m_root):
    whole = Human36M(str(h36m_root), split='test').store
    fewer = Human36M(str(h36m_root), split='test', downsample=3).store
    assert {s['length'] for s in fewer.sequences} == {14}  # of 40: 0, 3, ..., 39
    for view in range(len(whole.sequences)):
        for name in ('keypoints_2d', 'keypoints_3d'):
            rows = getattr(fewer, name)[14 * view : 14 * (view + 1)]
            assert rows.equal(getattr(whole, name)[40 * view : 40 * (view + 1) : 3])


def test_some_actions_alone(h36m_root):
    data = Human36M(str(h36m_root), split='test', actions=['Walking'])
    assert {s['clip'] for s in data.store.sequences} == {'Walking 1', 'Walking 2'}


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(actions=['Walk']), 'actions: expected some of Directions.* got Walk'),
        (dict(actions=[]), 'got none'),
        (dict(downsample=0), 'downsample must be 1 or more, got 0'),
        (
            dict(subjects=dict(train=['S1', 'S9'])),
            'S9 would be both in the training and in the test split',
        ),
        (dict(subjects=dict(test=['S5'])), 'S5 would be both'),
        (dict(subjects=dict(test=['S4'])), r"of 'test': expected some .* got \('S4',"),
        (dict(subjects=dict(dev=['S1'])), "the splits train, val, test, not 'dev'"),
    ],
)
def test_impossible_settings_are_refused(h36m_root, settings, message):
    with pytest.raises(ValueError, match=message):
        Human36M(str(h36m_root), **settings)


def test_other_subjects(h36m_root):
    subjects = dict(train=['S1', 'S9'], test=['S5'])
    found = {
        split: {
            sequence['subject']
            for sequence in Human36M(
                str(h36m_root), split=split, subjects=subjects
            ).store.sequences
        }
        for split in ('train', 'val', 'test')
    }
    assert found == {'train': {'S1', 'S9'}, 'val': {'S5'}, 'test': {'S5'}}


def test_other_actions_than_the_15_are_refused(broken):
    def rename(positions):
        positions['S9']['TakingPhoto 1'] = positions['S9'].pop('Walking 1')

    with pytest.raises(ValueError, match="'TakingPhoto 1' belongs to none of the 15"):
        broken(change_3d=rename)()


def test_millimetres_are_refused(broken):
    def enlarge(positions):
        positions['S9']['Directions'] = positions['S9']['Directions'] * 1000

    with pytest.raises(ValueError, match=r'data_3d_h36m.npz: .* another unit'):
        broken(change_3d=enlarge)()


def test_normalised_keypoints_are_refused(broken):
    def shrink(positions):
        positions['S9']['Directions'][0] = positions['S9']['Directions'][0] / 500 - 1

    with pytest.raises(ValueError, match=r'data_2d_h36m_gt.npz: .* expected pixels'):
        broken(change_2d=shrink)()


@pytest.fixture
def log(monkeypatch):
    lines = []
    for module in (frame_counts, h36m_protocol):
        monkeypatch.setattr(module, 'print_log', lambda text, **_: lines.append(text))
    return lines


def test_frame_counts_are_compared_with_the_literature(h36m_root, log, monkeypatch):
    Human36M(str(h36m_root), split='test')
    assert '800 instead of 543344' in log[0]
    assert '13 of the 15 actions are not there: Discussion, Eating' in log[1]
    monkeypatch.setitem(h36m_protocol.FRAMES, 'test', 800)
    log.clear()
    Human36M(str(h36m_root), split='test')
    assert log == ['Human3.6M, test: 800 frames, as in the official release']
    log.clear()
    Human36M(str(h36m_root), split='test', downsample=2)
    assert log == ['Human3.6M, test: 400 frames (downsample set)']
