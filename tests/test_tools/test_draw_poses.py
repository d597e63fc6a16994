import numpy as np
import pytest
from matplotlib.image import imread

from sealpose.evaluation.predictions import save_predictions
from sealpose.skeletons import H36M17, Skeleton
from sealpose.visualization import OBLIQUE, SIDE
from tests.conftest import walking_joints
from tests.scripts import load_script

draw_poses = load_script('tools/analysis_tools/draw_poses.py')

FRAMES = 60


@pytest.fixture
def predictions():
    """Two clips seen by two cameras, 60 frames each, predicted exactly."""
    pose = walking_joints(FRAMES)
    truth = np.tile(pose - pose[:, :1], (4, 1, 1)).astype(np.float32)
    return dict(
        keypoints_3d_pred=truth.copy(),
        keypoints_3d_gt=truth,
        keypoints_2d=truth[..., :2].copy(),
        sequence=np.repeat(np.arange(4), FRAMES),
        frame=np.tile(np.arange(FRAMES), 4),
        subject=np.array(['S9', 'S9', 'S11', 'S11']),
        action=np.array(['Walking', 'Walking', 'Posing', 'Posing']),
        clip=np.array(['Walking 1', 'Walking 1', 'Posing', 'Posing']),
        camera=np.array(['cam0', 'cam1', 'cam0', 'cam1']),
        skeleton=np.array('h36m17'),
        unit=np.array('m'),
        space=np.array('camera, root-relative'),
        dataset=np.array('Human36M'),
        name=np.array('baseline'),
    )


def moved(predictions, **errors):
    """Move the prediction of frames, given as f<number>=metres."""
    pred = predictions['keypoints_3d_pred'].copy()
    for frame, metres in errors.items():
        pred[int(frame.removeprefix('f')), 1:, 0] += metres
    return {**predictions, 'keypoints_3d_pred': pred, 'name': np.array('seal')}


def test_most_different_frames_first_and_one_per_clip_while_there_are_others(
    predictions,
):
    # Frames 10 and 12 of the first clip (camera 0), 75 = frame 15 of it in camera 1,
    # 40 of it, and 130 = frame 10 of the second clip.
    other = moved(predictions, f10=0.5, f12=0.4, f75=0.3, f40=0.2, f130=0.1)
    assert draw_poses.choose_frames([predictions, other], 2) == [10, 130]
    assert draw_poses.choose_frames([predictions, other], 3) == [10, 130, 40]


def test_one_file_shows_the_largest_errors(predictions):
    other = moved(predictions, f200=0.2, f5=0.1)
    assert draw_poses.choose_frames([other], 2) == [200, 5]


def test_the_picture_has_a_row_per_frame(predictions, tmp_path):
    paths = []
    for name, data in (('a', predictions), ('b', moved(predictions, f10=0.2))):
        paths.append(str(tmp_path / f'{name}.npz'))
        save_predictions(paths[-1], data)
    sizes = []
    for count in ('1', '2'):
        out = tmp_path / f'{count}.png'
        assert draw_poses.main([*paths, '--out', str(out), '--count', count]) == 0
        sizes.append(imread(out).shape)
    assert sizes[0][1] == sizes[1][1]
    assert sizes[1][0] - sizes[0][0] == pytest.approx(2.72 * 150, abs=2)


def test_every_pose_is_seen_from_two_sides(predictions):
    models = [predictions, moved(predictions, f10=0.2)]
    figure = draw_poses.draw(models, [10, 130], H36M17)
    # The input; truth and two predictions twice each.
    rows = [figure.axes[:7], figure.axes[7:]]
    assert [len(row) for row in rows] == [7, 7]
    for row in rows:
        azimuths = [axes.azim for axes in row[1:]]
        assert azimuths == [OBLIQUE, SIDE] * 3
        places = [axes.get_position().x0 for axes in row]
        assert places == sorted(places)
    assert [text.get_text() for text in figure.texts].count('from the side') == 3


def test_a_skeleton_without_sides_is_drawn():
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    truth = np.array([[0, 0, 0], [0, 0.4, 0]], np.float32)
    assert draw_poses.describe_pose(truth + 0.1, truth, chain) == 'MPJPE 173 mm'
    assert draw_poses.describe_pose(truth, truth, chain) == ''


def test_predictions_of_other_data_are_refused(predictions, tmp_path, capsys):
    other = {**predictions, 'keypoints_3d_gt': predictions['keypoints_3d_gt'] + 1}
    save_predictions(tmp_path / 'a.npz', predictions)
    save_predictions(tmp_path / 'b.npz', other)
    paths = [str(tmp_path / 'a.npz'), str(tmp_path / 'b.npz')]
    assert draw_poses.main([*paths, '--out', str(tmp_path / 'x.png')]) == 2
    assert "differ in 'keypoints_3d_gt'" in capsys.readouterr().err
    assert not (tmp_path / 'x.png').exists()


def test_a_missing_file_is_named(tmp_path, capsys):
    arguments = [str(tmp_path / 'a.npz'), '--out', str(tmp_path / 'x.png')]
    assert draw_poses.main(arguments) == 2
    assert 'a.npz' in capsys.readouterr().err


def broken(predictions, fault):
    poses = ('keypoints_3d_pred', 'keypoints_3d_gt', 'keypoints_2d')
    if fault == 'nan':
        return moved(predictions, f3=np.nan)
    if fault == 'joints':
        return {**predictions, **{key: predictions[key][:, :16] for key in poses}}
    if fault == 'sequence':
        return {**predictions, 'sequence': predictions['sequence'] + 1}
    if fault == 'skeleton':
        return {**predictions, 'skeleton': np.array('nobody')}
    keys = (*poses, 'sequence', 'frame')
    return {**predictions, **{key: predictions[key][:0] for key in keys}}


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        ('nan', "key 'keypoints_3d_pred': 1 of 240 frames have NaN"),
        ('joints', 'expected floats of the shape (frames, 17, 3)'),
        ('sequence', "key 'sequence': expected numbers from 0 to 3"),
        ('skeleton', "skeleton 'nobody' is not registered"),
        ('empty', 'holds no frames'),
    ],
)
def test_what_cannot_be_drawn_gives_one_line(
    predictions, tmp_path, capsys, fault, message
):
    save_predictions(tmp_path / 'a.npz', broken(predictions, fault))
    out = tmp_path / 'x.png'
    assert draw_poses.main([str(tmp_path / 'a.npz'), '--out', str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count('\n') == 1
    assert not out.exists()


def test_a_truncated_file_is_named(predictions, tmp_path, capsys):
    path = tmp_path / 'a.npz'
    save_predictions(path, predictions)
    path.write_bytes(path.read_bytes()[:-2000])
    assert draw_poses.main([str(path), '--out', str(tmp_path / 'x.png')]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert error.count('\n') == 1


def test_a_folder_as_output_gives_one_line_and_leaves_nothing(
    predictions, tmp_path, capsys
):
    save_predictions(tmp_path / 'a.npz', predictions)
    (tmp_path / 'x').mkdir()
    arguments = [str(tmp_path / 'a.npz'), '--out', str(tmp_path / 'x'), '--count', '1']
    assert draw_poses.main(arguments) == 2
    assert capsys.readouterr().err.count('\n') == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.npz', 'x']


def test_a_count_below_one_is_refused(capsys):
    with pytest.raises(SystemExit, match='2'):
        draw_poses.main(['a.npz', '--out', 'x.png', '--count', '0'])
    assert 'expected 1 or more' in capsys.readouterr().err
