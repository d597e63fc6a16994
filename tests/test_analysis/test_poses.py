import numpy as np
import pytest
import torch

from sealpose.analysis.poses import PoseSet
from sealpose.registry import FRAME_METRICS
from tests.test_analysis.analytic import SKELETON, pose_set, random_errors

FRAMES = 12


@pytest.fixture
def entries():
    """Three sequences: one clip seen by two cameras, and one of another subject."""
    poses = pose_set(random_errors(FRAMES))
    return dict(
        keypoints_3d_pred=poses.pred.numpy(),
        keypoints_3d_gt=poses.gt.numpy(),
        keypoints_2d=poses.x.numpy(),
        sequence=np.repeat([0, 1, 2], 4),
        frame=np.tile(np.arange(4), 3),
        subject=np.array(['S9', 'S9', 'S11']),
        action=np.array(['Walking'] * 3),
        clip=np.array(['Walking 1'] * 3),
        camera=np.array(['a', 'b', 'a']),
        skeleton=np.array('h36m17'),
        unit=np.array('m'),
        space=np.array('camera, root-relative'),
        dataset=np.array('Human36M'),
        name=np.array('baseline'),
    )


def test_cameras_share_a_clip_and_subjects_do_not(entries):
    poses = PoseSet.from_predictions(entries, 'a.npz')
    clip = poses.clip.tolist()
    assert clip[:4] == clip[4:8]
    assert len(set(clip[:8])) == 1 and clip[0] != clip[8]
    assert (poses.name, poses.dataset, len(poses)) == ('baseline', 'Human36M', FRAMES)


def test_errors_are_those_of_the_evaluation(entries):
    poses = PoseSet.from_predictions(entries, 'a.npz')
    for name in poses.measures():
        expected = FRAME_METRICS.get(name)(poses.pred, poses.gt, SKELETON)
        torch.testing.assert_close(poses.metric(name, poses.pred), expected)
    some = poses.take(torch.tensor([7, 2]))
    torch.testing.assert_close(
        some.metric('BSLE', some.pred), poses.metric('BSLE', poses.pred)[[7, 2]]
    )


def test_only_joints_that_both_skeletons_have_are_compared(entries):
    joints = [j for j in SKELETON.joint_names if j != 'spine']
    poses = PoseSet.from_predictions(entries, 'a.npz', joints)
    wrong = poses.gt.clone()
    wrong[:, SKELETON.index('spine')] += 0.5
    assert poses.metric('MPJPE', wrong).abs().max() == 0
    wrong[:, SKELETON.index('head'), 0] += 0.016
    # 16 mm at one of 16 joints.
    torch.testing.assert_close(
        poses.metric('MPJPE', wrong), torch.ones(FRAMES), atol=1e-3, rtol=0
    )
    assert 'LSE' in poses.measures()


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('keypoints_2d', np.zeros((FRAMES, 17, 3), np.float32), r'\(frames, 17, 2\)'),
        ('keypoints_3d_pred', np.zeros((FRAMES, 16, 3)), r'\(frames, 17, 3\)'),
        ('keypoints_3d_pred', np.full((FRAMES, 17, 3), np.inf), '12 of 12 frames'),
        ('sequence', np.repeat([0.0, 1.0, 2.0], 4), 'whole numbers'),
        ('sequence', np.repeat([0, 1, 3], 4), 'from 0 to 2'),
        ('frame', np.zeros(0, np.int64), 'no frames'),
    ],
)
def test_what_does_not_fit_is_refused(entries, key, value, message):
    with pytest.raises(ValueError, match=f'a.npz.*{message}'):
        PoseSet.from_predictions({**entries, key: value}, 'a.npz')
