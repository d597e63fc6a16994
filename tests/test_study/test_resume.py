"""A study that is killed goes on where it was."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from tests.test_study.tiny import command, notes, run_tool, write_study

ARMS = dict(plain={}, bones=dict(overrides={'model.flip_prob': 0.0}))
LONG = {
    'train_dataloader.batch_size': 32,
    'train_dataloader.dataset.frames': 80,
    'test_dataloader.dataset.frames': 40,
    'model.backbone.channels': 16,
    'train_cfg.max_epochs': 60,
}


def wait_for(condition, what):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f'waited in vain for {what}'
        time.sleep(0.01)


def children(pid):
    tasks = Path(f'/proc/{pid}/task').glob('*/children')
    return [int(child) for path in tasks for child in path.read_text().split()]


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='needs /proc')
def test_killed_and_resumed(tmp_path):
    path = write_study(
        tmp_path / 'tiny.py', ARMS, overrides=LONG, checkpoint_seconds=0.0, seeds=[0]
    )
    work = tmp_path / 'work'
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    program = subprocess.Popen(
        command(path, '--work-dir', work), cwd=ROOT, env=environment
    )
    second = work / 'runs/bones/seed_0'
    try:
        wait_for((second / 'resume.pth').exists, 'the second run')
        workers = children(program.pid)
        program.send_signal(signal.SIGKILL)
        program.wait()
    finally:
        program.kill()
    assert workers
    wait_for(
        lambda: not any(Path(f'/proc/{pid}').exists() for pid in workers),
        'the workers to end with their parent',
    )
    assert not (second / 'result.json').exists()
    first = work / 'runs/plain/seed_0/result.json'
    finished = first.stat().st_mtime_ns

    assert run_tool(path, '--work-dir', work) == 0
    assert first.stat().st_mtime_ns == finished
    resumed = notes(second)
    assert 0 < resumed['resumed_at'][0] < 60
    assert not (second / 'resume.pth').exists()

    whole = tmp_path / 'whole'
    assert run_tool(path, '--work-dir', whole, '--arms', 'bones') == 0
    expected = whole / 'runs/bones/seed_0'
    assert notes(expected)['resumed_at'] == []
    assert notes(expected)['weights'] == resumed['weights']
    assert notes(expected)['updates'] == resumed['updates']
    ours, theirs = (
        torch.load(folder / 'last.pth', weights_only=True)['state_dict']
        for folder in (second, expected)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
