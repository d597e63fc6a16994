import pytest
import torch

from sealpose.datasets import SampleMotion
from sealpose.datasets.transforms.robustness import OccludedLimb
from sealpose.registry import TRANSFORMS
from sealpose.skeletons import H36M17, Skeleton

ALL = [
    dict(type='DetectorNoise', sigma=5.0),
    dict(type='GrossOutliers', prob=0.2, duration=3),
    dict(type='MissingJoints', prob=0.2, duration=2),
    dict(type='MissingJoints', prob=0.2, fill='last'),
    dict(type='OccludedLimb', prob=0.5, duration=4),
    dict(type='LowFrameRate', every=3),
    dict(type='LowFrameRate', every=3, between='linear'),
]


def apply(config, keypoints, seed=0):
    return TRANSFORMS.build(config)(keypoints, torch.Generator().manual_seed(seed))


def keypoints(batch=3, frames=11, channels=2):
    return torch.rand(
        batch, frames, 17, channels, generator=torch.Generator().manual_seed(1)
    )


def walk(frames=7):
    """One joint of one person whose x is the number of the frame, y is -1."""
    points = torch.full((1, frames, 17, 2), -1.0)
    points[..., 0] = torch.arange(float(frames))[:, None]
    return points


@pytest.mark.parametrize('config', ALL, ids=lambda config: config['type'])
@pytest.mark.parametrize('channels', [2, 3])
def test_pure_seeded_and_of_the_same_shape(config, channels):
    points = keypoints(channels=channels)
    before = points.clone()
    found = apply(config, points)
    assert points.equal(before)
    assert found.shape == points.shape
    assert found.dtype == points.dtype
    assert not found.equal(points)
    assert found.equal(apply(config, points))
    if config['type'] != 'LowFrameRate':
        assert not found.equal(apply(config, points, seed=1))


@pytest.mark.parametrize(
    'config',
    [
        dict(type='DetectorNoise', sigma=0),
        dict(type='GrossOutliers', prob=0),
        dict(type='MissingJoints', prob=0),
        dict(type='OccludedLimb', prob=0),
        dict(type='LowFrameRate', every=1),
        dict(type='LowFrameRate', every=1, between='linear'),
    ],
    ids=lambda config: config['type'],
)
def test_severity_zero_changes_nothing(config):
    assert apply(config, keypoints(channels=3)).equal(keypoints(channels=3))


def test_noise_has_the_size_and_the_memory_it_says():
    still = torch.zeros(400, 50, 17, 2)
    noise = apply(dict(type='DetectorNoise', sigma=10.0, memory=0.8), still) * 500
    wrist, spine = H36M17.index('left_wrist'), H36M17.index('spine')
    assert noise[:, :, wrist].std() == pytest.approx(16.0, rel=0.05)
    assert noise[:, :, spine].std() == pytest.approx(8.0, rel=0.05)
    # Stationary: as large at the beginning as at the end.
    assert noise[:, 0].std() == pytest.approx(float(noise[:, -1].std()), rel=0.1)
    for lag in (1, 3):
        product = noise[:, lag:] * noise[:, :-lag]
        assert product.mean() / noise.square().mean() == pytest.approx(
            0.8**lag, abs=0.03
        )
    x, y = noise.unbind(-1)
    assert (x * y).mean() / noise.square().mean() == pytest.approx(0, abs=0.03)


def test_noise_is_the_autoregressive_process_step_by_step():
    still = torch.zeros(1, 30, 17, 2)
    spine = H36M17.index('spine')
    white, noise = (
        apply(dict(type='DetectorNoise', sigma=1 / 0.8, memory=memory), still)
        for memory in (0.0, 0.7)
    )
    white, noise = white[0, :, spine, 0] * 500, noise[0, :, spine, 0] * 500
    expected = float(white[0])
    for frame in range(30):
        if frame:
            expected = 0.7 * expected + (1 - 0.49) ** 0.5 * float(white[frame])
        assert float(noise[frame]) == pytest.approx(expected, abs=1e-5)


def test_noise_without_memory_is_white():
    still = torch.zeros(400, 50, 17, 2)
    noise = apply(dict(type='DetectorNoise', sigma=10.0, memory=0), still)
    product = noise[:, 1:] * noise[:, :-1]
    assert product.mean() / noise.square().mean() == pytest.approx(0, abs=0.02)


def test_outliers_are_as_many_as_far_and_as_long_as_they_say():
    config = dict(type='GrossOutliers', prob=0.1, distance=(50, 100), duration=4)
    offset = apply(config, torch.zeros(200, 60, 17, 2)) * 500
    length = offset.norm(dim=-1)
    wrong = length > 0
    assert wrong.float().mean() == pytest.approx(0.1, rel=0.05)
    assert wrong[:, 0].float().mean() == pytest.approx(0.1, rel=0.2)
    assert length[wrong].min() == pytest.approx(50, abs=1)
    assert length[wrong].max() == pytest.approx(100, abs=1)
    # In all directions alike.
    assert offset[wrong].mean(0).norm() < 3
    # Three of four frames of a span have the same outlier as the one before; where
    # another span cuts in, that is a little less.
    same = wrong[:, 1:] & (offset[:, 1:] == offset[:, :-1]).all(-1)
    assert same.sum() / wrong[:, 1:].sum() == pytest.approx(0.74, abs=0.02)


@pytest.mark.parametrize('duration', [1, 5])
def test_missing_joints_are_masked_as_often_as_asked(duration):
    points = 1 + keypoints(batch=300, frames=40, channels=3)
    config = dict(type='MissingJoints', prob=0.3, duration=duration)
    found = apply(config, points)
    gone = (found == 0).all(-1)
    assert gone.float().mean() == pytest.approx(0.3, rel=0.03)
    assert gone[:, 0].float().mean() == pytest.approx(0.3, rel=0.1)
    assert found[~gone].equal(points[~gone])


def test_missing_joints_stay_where_they_were_last_seen():
    points = torch.cat([walk(40), torch.ones(1, 40, 17, 1)], -1)
    found = apply(dict(type='MissingJoints', prob=0.5, fill='last'), points)[0]
    seen = found[..., 2] == 1
    for joint in range(17):
        last = None
        for frame in range(40):
            if seen[frame, joint]:
                last = frame
            expected = [0, 0] if last is None else [last, -1]
            assert found[frame, joint, :2].tolist() == expected


def test_one_limb_is_hidden_at_a_time_with_what_hangs_on_it():
    points = 1 + keypoints(batch=100, frames=60)
    found = apply(dict(type='OccludedLimb', prob=0.4, duration=10), points)
    gone = (found == 0).all(-1)
    patterns = {tuple(frame.nonzero()[:, 0].tolist()) for frame in gone.flatten(0, 1)}
    # Nothing, right leg, left leg, left arm, right arm.
    assert patterns == {(), (1, 2, 3), (4, 5, 6), (11, 12, 13), (14, 15, 16)}
    assert gone.any(-1).float().mean() == pytest.approx(0.4, rel=0.1)
    assert found[~gone].equal(points[~gone])


def test_a_hidden_limb_takes_along_what_hangs_on_it():
    parents = {'pelvis': None}
    for side in ('left', 'right'):
        # The hand comes before the arm in the order of the data.
        parents |= {
            f'{side}_thumb': f'{side}_wrist',
            f'{side}_elbow': 'pelvis',
            f'{side}_wrist': f'{side}_elbow',
        }
    skeleton = Skeleton(
        'puppet', parents, limbs={'left_arm': ('left_elbow', 'left_wrist')}
    )
    hide = OccludedLimb(prob=1, skeleton=skeleton)
    found = hide(torch.ones(1, 2, 7, 2), torch.Generator())
    assert (found[0, :, :, 0] == 0).tolist() == [[False, *[True] * 3, *[False] * 3]] * 2


def test_low_frame_rate_by_hand():
    held = apply(dict(type='LowFrameRate', every=3), walk())
    assert held[0, :, 5, 0].tolist() == [0, 0, 0, 3, 3, 3, 6]
    # After the last frame that is kept, number 6, the pose stays.
    linear = apply(dict(type='LowFrameRate', every=3, between='linear'), walk(8) ** 2)
    expected = [0, 3, 6, 9, 18, 27, 36, 36]
    assert linear[0, :, 5, 0].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(type='DetectorNoise', sigma=-1), 'sigma must be 0 or more pixels'),
        (dict(type='DetectorNoise', sigma=1, memory=1), r'memory must lie in \[0, 1\)'),
        (dict(type='GrossOutliers', prob=1.5), r'GrossOutliers: prob must lie in'),
        (dict(type='GrossOutliers', prob=0, distance=(9, 3)), 'be .least, largest.'),
        (dict(type='MissingJoints', prob=0.1, duration=0), 'duration must be 1 or'),
        (dict(type='MissingJoints', prob=0.1, fill='zero'), "mask or last, got 'zero'"),
        (dict(type='OccludedLimb', prob=0.1, limbs=['tail']), 'left_arm.* got tail'),
        (dict(type='OccludedLimb', prob=0.1, limbs=[]), 'got none'),
        (dict(type='LowFrameRate', every=0), 'every must be 1 or more frames, got 0'),
        (dict(type='LowFrameRate', every=2, between='spline'), 'be hold or linear'),
    ],
)
def test_impossible_settings_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(config)


@pytest.mark.parametrize('name', ['DetectorNoise', 'OccludedLimb'])
def test_keypoints_of_another_skeleton_are_refused(name):
    severity = dict(sigma=1) if name == 'DetectorNoise' else dict(prob=1)
    with pytest.raises(ValueError, match='has 16 joints, but the keypoints have 17'):
        apply(dict(type=name, skeleton='h36m16', **severity), keypoints())


def test_a_test_set_can_be_disturbed():
    clean = SampleMotion('test', frames=30)
    noisy = SampleMotion('test', frames=30, transforms=[ALL[0]])
    assert noisy.store.keypoints_3d.equal(clean.store.keypoints_3d)
    error = (noisy.store.keypoints_2d - clean.store.keypoints_2d) * 500
    # The mean square of the relative sizes of the 17 joints is 1.21.
    assert error.square().mean() == pytest.approx(25 * 1.21, rel=0.2)
