"""The tools as a user types them."""

import json
import re
import subprocess
import sys

import pytest
from mmengine.config import Config

from tests.conftest import ROOT, TINY_RUN

OPTIONS = ['--cfg-options', *(f'{key}={value}' for key, value in TINY_RUN.items())]


def run(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


def test_train_resume_test_with_the_config_alone(tmp_path):
    config = 'configs/baseline/videopose_sample.py'
    trained = run('tools/train.py', config, '--work-dir', tmp_path, *OPTIONS)
    assert trained.returncode == 0, trained.stderr
    checkpoint = (tmp_path / 'last_checkpoint').read_text()
    assert checkpoint.endswith('epoch_2.pth')

    longer = [o.replace('max_epochs=2', 'max_epochs=3') for o in OPTIONS]
    resumed = run('tools/train.py', config, '--work-dir', tmp_path, '--resume', *longer)
    assert resumed.returncode == 0, resumed.stderr
    assert 'Epoch(train) [1]' not in resumed.stdout + resumed.stderr
    assert (tmp_path / 'epoch_3.pth').exists()

    tested = run(
        'tools/test.py', config, checkpoint, '--work-dir', tmp_path / 'test',
        '--out', tmp_path / 'figures.json', '--save-predictions', tmp_path / 'p.npz',
        *OPTIONS,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stderr
    assert 'MPJPE' in tested.stdout + tested.stderr
    assert (tmp_path / 'figures.json').exists()
    assert (tmp_path / 'p.npz').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['configs/nowhere.py'], 'error: there is no config configs/nowhere.py'),
        (
            ['configs/seal/videopose_sample.py', '--cfg-options', 'modle.x=1'],
            "error: --cfg-options modle.x: the config has no 'modle'",
        ),
        (
            ['configs/seal/videopose_h36m.py', '--cfg-options',
             'train_dataloader.dataset.data_root=/nowhere'],
            'error: .*Human36M needs files that are not there',
        ),
        (
            ['configs/seal/videopose_sample.py', '--cfg-options',
             'optim_wrapper.optimizer.type=AdamX'],
            "error: optimizer 'AdamX' is not registered. Did you mean Adam",
        ),
        (
            ['configs/seal/videopose_sample.py', '--cfg-options',
             'custom_hooks.0.optim_wrapper.optimizer.type=Adamw'],
            "error: optimizer 'Adamw' is not registered. Did you mean AdamW",
        ),
    ],
)  # fmt: skip
def test_bad_input_ends_in_one_clear_message(tmp_path, arguments, message):
    result = run('tools/train.py', *arguments, '--work-dir', tmp_path / 'run')
    assert result.returncode == 1
    assert re.search(message, result.stderr), result.stderr
    assert 'Traceback' not in result.stderr
    assert not (tmp_path / 'run').exists()


def test_mixed_precision_from_the_command_line(tmp_path):
    result = run(
        'tools/train.py', 'configs/seal/videopose_sample.py',
        '--amp', '--work-dir', tmp_path, *OPTIONS,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    saved = Config.fromfile(tmp_path / 'videopose_sample.py')
    assert saved.optim_wrapper.type == 'Bf16OptimWrapper'


def test_two_processes_train_and_test_like_one(tmp_path):
    """Started by torchrun; without a GPU they talk through gloo."""
    config = 'configs/seal/videopose_sample.py'
    launch = (
        '-m',
        'torch.distributed.run',
        '--nproc-per-node=2',
        '--master-port=29577',
    )
    # Every frame once, by whichever process; 4 windows of 40 frames in the test data.
    trained = run(
        *launch, 'tools/train.py', config, '--launcher', 'pytorch',
        '--work-dir', tmp_path, *OPTIONS,
    )  # fmt: skip
    checkpoint = tmp_path / 'epoch_2.pth'
    assert checkpoint.exists(), trained.stderr[-3000:]
    figures = {}
    for name, command in (
        ('one', ('tools/test.py', config, checkpoint)),
        (
            'two',
            (*launch, 'tools/test.py', config, checkpoint, '--launcher', 'pytorch'),
        ),
    ):
        out = tmp_path / f'{name}.json'
        tested = run(*command, '--out', out, '--work-dir', tmp_path / name, *OPTIONS)
        assert out.exists(), tested.stderr[-3000:]
        figures[name] = json.loads(out.read_text())
    assert figures['one']['frames'] == figures['two']['frames'] == 160
    for metric, value in figures['one']['frame_mean'].items():
        assert figures['two']['frame_mean'][metric] == pytest.approx(value, rel=1e-5)
