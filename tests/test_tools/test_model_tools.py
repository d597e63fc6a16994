"""Tools on networks: official weights to figures, FLOPs, timings."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from sealpose.apis import build_tester, evaluate
from sealpose.models.backbones.videopose3d import VideoPose3D
from tests.conftest import ROOT


def run(tool, *args):
    command = [sys.executable, ROOT / 'tools' / tool, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def published(tmp_path):
    """A checkpoint in the form of VideoPose3D's release; also returns its network."""
    torch.manual_seed(0)
    network = VideoPose3D(channels=16)
    content = dict(
        epoch=80,
        lr=1e-4,
        random_state=np.random.RandomState(1),
        optimizer={},
        model_pos=network.state_dict(),
        model_traj=None,
    )
    torch.save(content, tmp_path / 'pretrained.bin')
    return tmp_path / 'pretrained.bin', network


def test_official_weights_reach_the_test_and_predict_the_same(
    published, tmp_path, tiny_cfg
):
    path, network = published
    out = tmp_path / 'ours.pth'
    done = run('model_converters/import_weights.py', 'VideoPose3D', path, out)
    assert done.returncode == 0, done.stderr
    assert 'layers_conv.0.weight' in done.stdout
    assert 'channels=16' in done.stdout
    cfg = tiny_cfg('configs/baseline/videopose_sample.py')
    cfg.model.flip_test = False
    tester = build_tester(cfg, out)
    found = evaluate(tester).predictions
    window = tester.test_dataloader.dataset.store.keypoints_2d[None, :27]
    with torch.no_grad():
        expected = network.eval()(window)[0, 0]
    np.testing.assert_allclose(found['keypoints_3d_pred'][13], expected, atol=1e-5)


def test_import_errors_are_one_line(published, tmp_path):
    path, _ = published
    for args, message in (
        (('MixSTE', path), 'pretrained.bin'),
        (('ResNet', path), "'ResNet' is not registered"),
        (('VideoPose3D', tmp_path / 'x.bin'), 'there is no checkpoint'),
        (
            ('VideoPose3D', path, '--settings', 'filter_widths=3,3'),
            'does not match VideoPose3D',
        ),
    ):
        name, file, *rest = args
        out = tmp_path / 'out.pth'
        done = run('model_converters/import_weights.py', name, file, out, *rest)
        assert done.returncode == 1
        assert done.stderr.startswith('error: ')
        assert message in done.stderr
        assert 'Traceback' not in done.stderr
        assert not out.exists()


def test_get_flops_and_benchmark_print_a_row_for_each_form():
    config = ROOT / 'configs/baseline/videopose_h36m.py'
    flops = run('analysis_tools/get_flops.py', config).stdout
    # 8,555,571 parameters, as published.
    assert 'baseline/videopose_h36m' in flops
    assert '8,555,571' in flops
    done = run(
        'analysis_tools/benchmark.py',
        *(config, '--batch', 1, 2, '--repeats', 2, '--device', 'cpu', '--bf16'),
        *('--cfg-options', 'model.backbone.channels=16'),
    )
    rows = [line for line in done.stdout.splitlines() if 'videopose_h36m' in line]
    assert len(rows) == 4
    assert sum('bf16' in row for row in rows) == 2
