"""From a detector's file to 3D poses, as a user runs it."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from sealpose.apis import build_trainer, evaluate
from sealpose.apis.lift import build_lifter
from sealpose.datasets.detected_keypoints import DetectedKeypoints
from sealpose.evaluation.predictions import load_predictions
from tests.conftest import ROOT, save_objects

CONFIG = 'configs/baseline/videopose_sample.py'
SIZE = (1000, 800)


def coco_file(path, frames=30, tracks=(1, 2)):
    random = np.random.default_rng(0)
    content = []
    for track in tracks:
        points = random.uniform(100, 700, (17, 2))
        for t in range(frames):
            moved = np.column_stack([points + t, np.full(17, 0.9)])
            content.append(
                dict(image_id=t, keypoints=moved.ravel().tolist(), track_id=track)
            )
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def checkpoint(tiny_cfg):
    runner = build_trainer(tiny_cfg(CONFIG, 'trained'))
    runner.train()
    return f'{runner.work_dir}/epoch_2.pth'


def test_command_lifts_every_person(tmp_path, checkpoint):
    keypoints = coco_file(tmp_path / 'keypoints.json')
    command = [
        *(sys.executable, ROOT / 'tools/lift.py', ROOT / CONFIG, checkpoint),
        *(keypoints, '--out', tmp_path / 'poses.npz', '--report', tmp_path / 'r.json'),
        *('--image-size', '1000', '800', '--work-dir', tmp_path / 'lift'),
        '--constant-bones',
        *('--cfg-options', 'model.backbone.channels=16'),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 'Jitter' in run.stdout
    poses = load_predictions(tmp_path / 'poses.npz')
    assert poses['keypoints_3d_pred'].shape == (60, 17, 3)
    assert np.isfinite(poses['keypoints_3d_pred']).all()
    assert np.isnan(poses['keypoints_3d_gt']).all()
    assert poses['subject'].tolist() == ['1', '2']
    figures = json.loads((tmp_path / 'r.json').read_text())['frame_mean']
    assert max(figures['LSE'], figures['BLD']) < 1e-3 < figures['Jitter']
    drawing = tmp_path / 'poses.png'
    draw = [
        *(sys.executable, ROOT / 'tools/analysis_tools/draw_poses.py'),
        *(tmp_path / 'poses.npz', '--out', drawing, '--count', '2'),
    ]
    subprocess.run(draw, check=True, capture_output=True)
    assert drawing.read_bytes().startswith(b'\x89PNG')
    figures = json.loads((tmp_path / 'r.json').read_text())['frame_mean']
    assert set(figures) == {'LSE', 'LSE-mm', 'BLD', 'Jitter', 'Flagged'}


def test_metrics_that_need_truth_are_refused(tmp_path, tiny_cfg, checkpoint):
    keypoints = coco_file(tmp_path / 'keypoints.json', tracks=(1,))
    runner = build_lifter(tiny_cfg(CONFIG, 'lift'), checkpoint, keypoints, SIZE)
    evaluator = runner.test_loop.evaluator.metrics[0]
    evaluator.metrics['MPJPE'] = type(evaluator)(['MPJPE']).metrics['MPJPE']
    with pytest.raises(ValueError, match='no 3D truth to measure MPJPE against'):
        evaluate(runner)


def test_keypoints_are_normalised_and_mapped_by_hand(tmp_path):
    data = DetectedKeypoints(
        str(coco_file(tmp_path / 'k.json', frames=2, tracks=(1,))), SIZE
    )
    points = np.random.default_rng(0).uniform(100, 700, (17, 2)) + 1  # frame 1
    x = data[1]['keypoints_2d'][0].numpy()
    hips = (points[11] + points[12]) / 2
    np.testing.assert_allclose(x[0], hips / 500 - [1, 0.8], atol=1e-5)
    np.testing.assert_allclose(x[13], points[9] / 500 - [1, 0.8], atol=1e-5)
    assert data.metainfo['has_truth'] is False


def custom_npz(path, layout='h36m', **changes):
    points = np.random.default_rng(1).uniform(0, 600, (5, 17, 2)).astype(np.float32)
    points[2, 4] = np.nan
    metadata = dict(
        layout_name=layout,
        num_joints=17,
        keypoints_symmetry=[[4], [1]],
        video_metadata={'me.mp4': dict(w=640, h=480)},
    )
    metadata.update(changes)
    save_objects(path, positions_2d={'me.mp4': {'custom': [points]}}, metadata=metadata)
    return points


def test_custom_npz_of_videopose3d(tmp_path):
    points = custom_npz(tmp_path / 'data_2d_custom_me.npz')
    data = DetectedKeypoints(str(tmp_path / 'data_2d_custom_me.npz'))
    x = torch.stack([data[t]['keypoints_2d'][0] for t in range(5)]).numpy()
    expected = points / 320 - [1, 0.75]
    expected[2, 4] = 0
    np.testing.assert_allclose(x, expected, atol=1e-5)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(layout='mpii'), "layout 'mpii' is unknown"),
        (dict(video_metadata={}), "video_metadata: no entry 'me.mp4'"),
        (dict(video_metadata={'me.mp4': dict(w=3)}), "me.mp4: no entry 'h'"),
    ],
)
def test_incomplete_custom_npz(tmp_path, changes, message):
    custom_npz(tmp_path / 'x.npz', **changes)
    with pytest.raises(ValueError, match=message):
        DetectedKeypoints(str(tmp_path / 'x.npz'))


def test_the_image_size_must_be_known(tmp_path):
    with pytest.raises(ValueError, match='give image_size'):
        DetectedKeypoints(str(coco_file(tmp_path / 'k.json')))
    with pytest.raises(ValueError, match='gaps must be one of'):
        DetectedKeypoints('x.json', gaps='hope')
