import time

import numpy as np
import pytest
import torch

from sealpose.datasets.sample_motion import SampleMotion, gait
from sealpose.datasets.sample_motion.dataset import CAMERAS, make_clip, project
from sealpose.datasets.sample_motion.detector import detect
from sealpose.datasets.sample_motion.motions import MOTIONS
from sealpose.datasets.sample_motion.timing import episodes, through
from sealpose.registry import DATASETS
from sealpose.skeletons import H36M17

SPLITS = ('train', 'val', 'test')


@pytest.fixture(scope='module')
def clips():
    """Six clips of every motion; neighbours are of different subjects."""
    return [make_clip('train', number) for number in range(6 * len(MOTIONS))]


def joint(world, name):
    return world[:, H36M17.index(name)]


def length(vector):
    return np.linalg.norm(vector, axis=-1)


def flexion(world, upper, middle, lower):
    """Degrees by which the chain of three joints is bent; 0 is straight."""
    first = joint(world, middle) - joint(world, upper)
    second = joint(world, lower) - joint(world, middle)
    cosine = (first * second).sum(-1) / length(first) / length(second)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def segment_lengths(world):
    parents, children = np.array(H36M17.segments).T
    return length(world[:, children] - world[:, parents])


def of(clips, action):
    chosen = [clip for clip in clips if clip.action == action]
    assert chosen
    return chosen


# ---- the data set ---------------------------------------------------------------


def test_frames_counts_frames_of_motion_and_four_cameras_see_each():
    data = DATASETS.build({'type': 'SampleMotion', 'split': 'val', 'frames': 731})
    assert data.store.num_frames == 4 * 731
    cameras = {s['camera'] for s in data.store.sequences}
    assert cameras == {camera.name for camera in CAMERAS}
    assert len(data) == 4 * 731


def test_window_arguments_reach_the_windows():
    data = SampleMotion('test', frames=50, input_frames=9, output_frames=3, stride=6)
    batch = data.__getitems__([0, 5])
    assert batch['keypoints_2d'].shape == (2, 9, 17, 2)
    assert batch['keypoints_3d'].shape == (2, 3, 17, 3)
    assert batch['keypoints_3d'][:, :, H36M17.root].abs().max() == 0


def test_same_seed_same_data_other_seed_other_data():
    def build(seed):
        return SampleMotion('test', frames=300, seed=seed).store

    first, again, other = build(1), build(1), build(2)
    assert torch.equal(first.keypoints_2d, again.keypoints_2d)
    assert torch.equal(first.keypoints_3d, again.keypoints_3d)
    assert (first.keypoints_3d - other.keypoints_3d).abs().mean() > 0.01
    assert (first.keypoints_2d - other.keypoints_2d).abs().mean() > 0.01


def test_a_smaller_split_is_the_beginning_of_a_larger_one():
    small = SampleMotion('train', frames=130).store
    large = SampleMotion('train', frames=400).store
    for view in range(4):
        for name in ('keypoints_2d', 'keypoints_3d'):
            a, b = (
                getattr(store, name)[store.starts[view] :][:130]
                for store in (small, large)
            )
            assert torch.equal(a, b)


def test_the_global_random_state_is_neither_read_nor_moved():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    SampleMotion('val', frames=60)
    assert np.array_equal(np.random.get_state()[1], before)


def test_splits_have_different_subjects_and_motions():
    stores = {split: SampleMotion(split, frames=1500).store for split in SPLITS}
    names = {
        split: {s['subject'] for s in store.sequences}
        for split, store in stores.items()
    }
    assert sum(map(len, names.values())) == len(set.union(*names.values()))
    # Different people, not only different names: no two are equally tall.
    statures = [make_clip(split, n).body.stature for split in SPLITS for n in range(3)]
    assert len({round(stature, 6) for stature in statures}) == 9


def test_every_subject_comes_to_every_motion_under_its_own_name(clips):
    pairs = {
        (clip.subject, clip.action)
        for clip in (make_clip('test', n) for n in range(5 * len(MOTIONS)))
    }
    assert len(pairs) == 5 * len(MOTIONS)


def test_a_subject_keeps_its_body(clips):
    first, later = make_clip('val', 0), make_clip('val', 3)
    assert first.subject == later.subject
    assert first.action != later.action
    np.testing.assert_allclose(
        segment_lengths(first.world)[0], segment_lengths(later.world)[0], atol=1e-9
    )


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'split': 'dev'}, "no split 'dev'; choose one of train, val, test"),
        ({'frames': 0}, 'frames must be positive, but got 0'),
        ({'skeleton': 'coco17'}, "moves the skeleton 'h36m17', but got 'coco17'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SampleMotion(**arguments)


def test_twenty_thousand_frames_take_less_than_ten_seconds():
    # Processor time: other work on the machine must not fail the test.
    start = time.process_time()
    data = SampleMotion('train', frames=20000)
    assert time.process_time() - start < 10
    assert data.store.num_frames == 80000


# ---- the people -----------------------------------------------------------------


def test_bones_keep_their_length_and_both_sides_are_equal(clips):
    for clip in clips:
        lengths = segment_lengths(clip.world)
        assert np.ptp(lengths, axis=0).max() < 1e-6
        for left, right in H36M17.symmetric_segments:
            assert abs(lengths[0, left] - lengths[0, right]) < 1e-6


@pytest.mark.parametrize(
    ('upper', 'lower', 'fraction'),
    [
        ('left_hip', 'left_knee', 0.245),
        ('left_knee', 'left_ankle', 0.246),
        ('right_shoulder', 'right_elbow', 0.186),
        ('right_elbow', 'right_wrist', 0.146),
    ],
)
def test_segments_follow_the_published_proportions(upper, lower, fraction):
    clips = [make_clip('train', number) for number in range(12)]  # 12 subjects
    measured = np.array(
        [
            length(joint(clip.world, lower) - joint(clip.world, upper))[0]
            / clip.body.stature
            for clip in clips
        ]
    )
    # 2.5 % of variation, two deviations at most.
    assert np.abs(measured / fraction - 1).max() < 0.051
    assert abs(measured.mean() / fraction - 1) < 0.025
    assert measured.std() > 0


def test_a_standing_person_is_as_tall_as_the_stature_says(clips):
    for clip in of(clips, 'waving'):
        top = np.percentile(joint(clip.world, 'head')[:, 2], 95)
        assert abs(top / clip.body.stature - 1) < 0.05
        assert 1.4 < clip.body.stature < 2.0


def test_knees_and_elbows_stay_within_their_range(clips):
    for clip in clips:
        for side in ('left', 'right'):
            knee = flexion(
                clip.world, *(f'{side}_{j}' for j in ('hip', 'knee', 'ankle'))
            )
            arm = (f'{side}_{j}' for j in ('shoulder', 'elbow', 'wrist'))
            elbow = flexion(clip.world, *arm)
            assert knee.min() > 3.5
            assert knee.max() < 135
            assert elbow.min() > 2.5
            assert elbow.max() < 150


def test_knees_bend_backwards(clips):
    """The knee lies before the line from hip to ankle, on the side of the nose."""
    for clip in clips:
        across = joint(clip.world, 'left_hip') - joint(clip.world, 'right_hip')
        forward = np.cross(across, [0, 0, 1])
        nose = joint(clip.world, 'nose') - joint(clip.world, 'thorax')
        assert ((forward * nose).sum(-1) > 0).mean() > 0.7
        for side in ('left', 'right'):
            hip, knee, ankle = (
                joint(clip.world, f'{side}_{j}') for j in ('hip', 'knee', 'ankle')
            )
            before = knee - (hip + ankle) / 2
            assert (forward * before).sum(-1).min() > 0


def test_elbows_bend_forwards_in_a_hanging_arm(clips):
    for clip in of(clips, 'walking'):
        across = joint(clip.world, 'left_shoulder') - joint(
            clip.world, 'right_shoulder'
        )
        forward = np.cross(across, [0, 0, 1])
        for side in ('left', 'right'):
            shoulder, elbow, wrist = (
                joint(clip.world, f'{side}_{j}') for j in ('shoulder', 'elbow', 'wrist')
            )
            behind = elbow - (shoulder + wrist) / 2
            assert (forward * behind).sum(-1).max() < 0


def test_arms_stay_out_of_the_trunk_and_legs_apart(clips):
    for clip in clips:
        bottom, top = joint(clip.world, 'pelvis'), joint(clip.world, 'thorax')
        for name in ('left_elbow', 'left_wrist', 'right_elbow', 'right_wrist'):
            point, axis = joint(clip.world, name) - bottom, top - bottom
            along = (point * axis).sum(-1) / (axis**2).sum(-1)
            nearest = np.clip(along, 0, 1)[:, None] * axis
            assert length(point - nearest).min() > 0.11
        for name in ('knee', 'ankle'):
            gap = joint(clip.world, f'left_{name}') - joint(clip.world, f'right_{name}')
            assert length(gap).min() > 0.08


def test_nothing_jumps(clips):
    for clip in clips:
        acceleration = length(np.diff(clip.world, 2, axis=0)) * 50**2
        assert acceleration.max() < 65  # m/s²; a fast wave of the hand


# ---- the floor ------------------------------------------------------------------


def test_a_foot_is_on_the_floor_and_none_below(clips):
    for clip in clips:
        ankles = clip.world[
            :, [H36M17.index(f'{s}_ankle') for s in ('left', 'right')], 2
        ]
        above = ankles.min(1) - clip.body.ankle_height
        assert above.min() > -0.001
        # Between heel strike and foot flat the lower ankle is a little higher.
        assert above.max() < 0.06


def test_the_standing_foot_does_not_slide_in_walking(clips):
    for clip in of(clips, 'walking'):
        slides = []
        for side in ('left', 'right'):
            ankle = joint(clip.world, f'{side}_ankle')
            flat = ankle[:, 2] < clip.body.ankle_height + 0.01
            edges = np.flatnonzero(np.diff(flat.astype(int), prepend=0, append=0))
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                middle = ankle[(begin + end) // 2, :2]
                slides.append(length(ankle[begin:end, :2] - middle).max())
        assert len(slides) > 4
        assert max(slides) < 0.03
        travelled = length(np.diff(joint(clip.world, 'pelvis')[:, :2], axis=0)).sum()
        assert 0.5 < travelled / (len(clip.world) / 50) < 1.5  # m/s


@pytest.mark.parametrize('action', ['reaching', 'sitting', 'squatting', 'waving'])
def test_feet_stay_put_in_motions_on_the_spot(clips, action):
    for clip in of(clips, action):
        for side in ('left', 'right'):
            assert np.ptp(joint(clip.world, f'{side}_ankle'), axis=0).max() < 1e-9


# ---- the motions ----------------------------------------------------------------


def test_gait_curves_are_periodic_and_pass_near_their_samples():
    phase = np.arange(20) / 20
    for curve in (gait.THIGH_ANGLE, gait.KNEE_FLEXION, gait.FOOT_PITCH):
        found = np.degrees(gait.cycle_curve(curve, phase))
        assert np.abs(found - curve).max() < 2.5
        np.testing.assert_allclose(
            gait.cycle_curve(curve, phase), gait.cycle_curve(curve, phase + 3)
        )


def test_walking_bends_the_knee_in_swing_and_swings_arms_against_legs(clips):
    for clip in of(clips, 'walking'):
        knee = flexion(clip.world, 'left_hip', 'left_knee', 'left_ankle')
        assert 45 < knee.max() < 75
        across = joint(clip.world, 'left_hip') - joint(clip.world, 'right_hip')
        forward = np.cross(across / length(across)[:, None], [0, 0, 1])
        apart = {
            name: (
                forward
                * (
                    joint(clip.world, f'left_{name}')
                    - joint(clip.world, f'right_{name}')
                )
            ).sum(-1)
            for name in ('ankle', 'wrist')
        }
        assert np.corrcoef(apart['ankle'], apart['wrist'])[0, 1] < -0.5


def test_motions_do_what_they_are_called(clips):
    def heights(action, name):
        return [joint(clip.world, name)[:, 2] for clip in of(clips, action)]

    for pelvis in heights('sitting', 'pelvis'):
        assert 0.45 < pelvis.min() < 0.6  # the hips above a chair of 41 to 47 cm
    for pelvis, clip in zip(
        heights('squatting', 'pelvis'), of(clips, 'squatting'), strict=True
    ):
        assert np.ptp(pelvis) > 0.2 * clip.body.leg
    for clip in of(clips, 'waving'):
        wrists = np.maximum(
            joint(clip.world, 'left_wrist')[:, 2],
            joint(clip.world, 'right_wrist')[:, 2],
        )
        assert (wrists - joint(clip.world, 'thorax')[:, 2]).max() > 0
    for clip in of(clips, 'turning'):
        across = joint(clip.world, 'left_hip') - joint(clip.world, 'right_hip')
        facing = np.unwrap(np.arctan2(across[:, 1], across[:, 0]))
        assert np.ptp(facing) > np.radians(50)


def test_through_rests_at_each_knot():
    knots, levels = np.array([0.0, 1.0, 3.0]), np.array([2.0, 4.0, 0.0])
    found = through(knots, levels, np.array([0.0, 0.5, 1.0, 2.0, 3.0, 9.0]))
    np.testing.assert_allclose(found, [2, 3, 4, 2, 0, 0])


def test_an_episode_changes_only_at_rest():
    done, episode = episodes(np.random.default_rng(0), 2000)
    changes = np.flatnonzero(np.diff(episode))
    assert len(changes) > 5
    assert done[changes].max() < 1e-2
    assert done.max() == pytest.approx(1)


# ---- the detector ---------------------------------------------------------------


def test_everybody_is_in_every_image(clips):
    for clip in clips:
        for camera in CAMERAS:
            pixels = project(clip.world, camera)
            assert pixels.min() > 0
            assert pixels.max() < camera.width


@pytest.fixture(scope='module')
def errors():
    """Detected less true pixels of a still person, (T, 17, 2)."""
    still = np.tile(project(make_clip('test', 1).world[:1], CAMERAS[0]), (20000, 1, 1))
    return detect(still, 1000, np.random.default_rng(0)) - still


def test_errors_are_a_few_pixels_and_larger_at_the_extremities(errors):
    typical = np.median(length(errors), axis=0)
    assert 2 < np.median(length(errors)) < 4
    for name in ('wrist', 'ankle'):
        assert typical[H36M17.index(f'left_{name}')] > 3.5
    assert typical[H36M17.index('thorax')] < 2.5
    assert np.abs(np.median(errors, axis=0)).max() < 0.5


def test_errors_last_longer_than_a_frame(errors):
    x = np.clip(errors[:, H36M17.index('nose'), 0], -8, 8)
    after = [np.corrcoef(x[:-lag], x[lag:])[0, 1] for lag in (1, 5, 60)]
    assert 0.6 < after[0] < 0.9
    assert 0.3 < after[1] < after[0]
    assert abs(after[2]) < 0.1


def test_gross_errors_are_few_and_come_in_bursts(errors):
    gross = length(errors) > 15
    assert 0.004 < gross.mean() < 0.015
    nose = gross[:, H36M17.index('nose')]
    starts = (np.diff(nose.astype(int)) == 1).sum()
    assert 2 < nose.sum() / starts < 7


def test_limbs_are_swapped_at_times():
    pixels = np.full((5000, 17, 2), 300.0)
    pixels[:, list(H36M17.left_joints)] = 700.0
    found = detect(pixels, 1000, np.random.default_rng(0))
    swapped = (found[..., 0] > 600) != (pixels[..., 0] > 600)
    share = swapped[:, [H36M17.index('left_wrist'), H36M17.index('right_ankle')]].mean()
    assert 0.001 < share < 0.02
    # A limb is swapped as a whole; hips and shoulders are not.
    wrist, elbow = (swapped[:, H36M17.index(f'left_{j}')] for j in ('wrist', 'elbow'))
    assert np.array_equal(wrist, elbow)
    assert not swapped[:, H36M17.index('left_hip')].any()


def test_no_keypoint_is_reported_outside_of_the_image():
    corner = np.full((3000, 17, 2), 2.0)
    found = detect(corner, 1000, np.random.default_rng(0))
    assert found.min() == 0
