"""Detections of a known person in every form that detectors write."""

import json

import numpy as np
import pytest

from sealpose.datasets.readers.detections import read_detections
from sealpose.datasets.tracks import fill_track, split_tracks

FRAMES = 4


def person(joints=17, shift=0.0):
    """(T, J, 3): x, y in pixels and score."""
    random = np.random.default_rng(0)
    points = random.uniform(100, 500, (FRAMES, joints, 2)) + shift
    scores = random.uniform(0.4, 1.0, (FRAMES, joints, 1))
    return np.concatenate([points, scores], -1)


def coco_results(p):
    return [
        dict(image_id=t, category_id=1, keypoints=p[t].ravel().tolist(), score=0.9)
        for t in range(FRAMES)
    ]


def alphapose(p):
    return [
        dict(
            image_id=f'{t}.jpg',
            category_id=1,
            keypoints=p[t].ravel().tolist(),
            score=2.9,
            box=[0, 0, 1, 1],
            idx=1,
        )
        for t in range(FRAMES)
    ]


def instances(p, t):
    return [
        dict(
            keypoints=p[t, :, :2].tolist(),
            keypoint_scores=p[t, :, 2].tolist(),
            bbox=[[0, 0, 1, 1]],
            bbox_score=0.9,
        )
    ]


def mmpose_video(p):
    return [dict(frame_id=t, instances=instances(p, t)) for t in range(FRAMES)]


def mmpose_demo(p):
    return dict(meta_info=dict(dataset_name='coco'), instance_info=mmpose_video(p))


def mmpose_inferencer(p):
    return [instances(p, t) for t in range(FRAMES)]


def rtmlib(p):
    return [
        dict(keypoints=[p[t, :, :2].tolist()], scores=[p[t, :, 2].tolist()])
        for t in range(FRAMES)
    ]


def coco_annotations(p):
    return dict(images=[], annotations=coco_results(p))


FORMS = [
    coco_results,
    coco_annotations,
    alphapose,
    mmpose_video,
    mmpose_demo,
    mmpose_inferencer,
    rtmlib,
]


def write(tmp_path, content):
    path = tmp_path / 'keypoints.json'
    path.write_text(json.dumps(content))
    return path


def write_openpose(folder, people):
    """people: one list per frame of (J, 3) arrays."""
    folder.mkdir()
    for t, frame in enumerate(people):
        content = dict(
            version=1.3,
            people=[
                dict(person_id=[-1], pose_keypoints_2d=p.ravel().tolist())
                for p in frame
            ],
        )
        (folder / f'video_{t:012d}_keypoints.json').write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('joints', [17, 133])
def test_every_value_survives_every_form(tmp_path, form, joints):
    p = person(joints)
    found = read_detections(write(tmp_path, form(p)))
    assert [d.frame for d in found] == list(range(FRAMES))
    np.testing.assert_array_equal([d.points for d in found], p[..., :2])
    np.testing.assert_array_equal([d.scores for d in found], p[..., 2])


@pytest.mark.parametrize('joints', [18, 25])
def test_openpose_folder(tmp_path, joints):
    p = person(joints)
    found = read_detections(write_openpose(tmp_path / 'openpose', [[x] for x in p]))
    assert [d.frame for d in found] == list(range(FRAMES))
    assert found[0].track is None
    np.testing.assert_array_equal([d.points for d in found], p[..., :2])


def test_people_are_kept_apart_by_their_track(tmp_path):
    a, b = person(), person(shift=1000.0)
    content = [
        dict(entry, track_id=track)
        for track, p in ((7, a), (3, b))
        for entry in coco_results(p)
    ]
    tracks = split_tracks(read_detections(write(tmp_path, content)))
    assert set(tracks) == {'7', '3'}
    for name, p in (('7', a), ('3', b)):
        points, seen = fill_track(tracks[name], 0.3, 'interpolate')
        np.testing.assert_array_equal(points, p[..., :2])
        assert seen.all()


def test_several_people_without_tracks_are_refused(tmp_path):
    content = coco_results(person()) + coco_results(person(shift=1000.0))
    with pytest.raises(ValueError, match='frame 0 shows several people.*tracker'):
        split_tracks(read_detections(write(tmp_path, content)))
    content = [dict(entry, track_id=1) for entry in content]
    with pytest.raises(ValueError, match="track '1' appears twice in frame 0"):
        split_tracks(read_detections(write(tmp_path, content)))


def gap_track(tmp_path):
    """Joint 2 at x = 10, unseen for two frames (one of them missing), then 40."""
    p = np.ones((FRAMES, 17, 3))
    p[:, 2, 0] = [10.0, 999.0, 999.0, 40.0]
    p[1, 2, 2] = 0.1
    content = [entry for entry in coco_results(p) if entry['image_id'] != 2]
    return read_detections(write(tmp_path, content))


def test_gaps_are_interpolated_by_hand(tmp_path):
    points, seen = fill_track(gap_track(tmp_path), 0.3, 'interpolate')
    np.testing.assert_allclose(points[:, 2, 0], [10, 20, 30, 40])
    assert seen[:, 2].tolist() == [True, False, False, True]
    assert seen[:, 3].tolist() == [True, True, False, True]


def test_gaps_are_masked(tmp_path):
    points, _ = fill_track(gap_track(tmp_path), 0.3, 'mask')
    assert np.isnan(points[1:3, 2]).all()
    assert np.isfinite(points[[0, 3]]).all()
    assert np.isnan(points[2]).all()


def test_beyond_the_first_and_last_sight_a_joint_is_held(tmp_path):
    p = np.ones((FRAMES, 17, 3))
    p[:, 5, 0] = [999.0, 5.0, 6.0, 999.0]
    p[[0, 3], 5, 2] = 0.0
    points, _ = fill_track(
        read_detections(write(tmp_path, coco_results(p))), 0.3, 'interpolate'
    )
    assert points[:, 5, 0].tolist() == [5, 5, 6, 6]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('nonsense', 'expected a list of people'),
        ([], 'no detected person'),
        ([3], 'entry 0: expected a person or a frame, found int'),
        (coco_results(person(5)), 'people of 17, 18, 25, 133 joints.*found 5'),
        (coco_results(person())[:1] + coco_results(person(133)), '17 and 133'),
        ([dict(image_id=0, keypoints=[1, 2])], 'entry 0: expected `keypoints` as x'),
        ([dict(image_id=0, keypoints=[['a'] * 3])], 'entry 0: expected `keypoints`'),
        ([dict(image_id='cover', keypoints=[1] * 51)], "no frame number in 'cover'"),
        ([dict(frame_id=0, instances=3)], 'entry 0: expected a list of people'),
        ([dict(frame_id=0, instances=[3])], 'entry 0, person 0: expected a person'),
        ([dict(keypoints=[[1]], scores=[])], 'of the same people'),
        ([[dict(keypoints=[[1, 2]])]], '`keypoint_scores` beside it'),
    ],
)
def test_malformed_files_end_in_one_clear_error(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_detections(write(tmp_path, content))


def test_damaged_and_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='no keypoints'):
        read_detections(tmp_path / 'x.json')
    path = write(tmp_path, coco_results(person()))
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ValueError, match='is not a JSON file'):
        read_detections(path)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='no \\*_keypoints.json'):
        read_detections(tmp_path / 'empty')
    path.write_text('[' * 100_000)
    with pytest.raises(ValueError, match='is not a JSON file'):
        read_detections(path)


def test_absurd_frame_numbers_do_not_fill_the_memory(tmp_path):
    content = coco_results(person())
    content[-1]['image_id'] = 10**15
    detections = read_detections(write(tmp_path, content))
    with pytest.raises(ValueError, match='are these frame numbers'):
        fill_track(detections, 0.3, 'mask')
