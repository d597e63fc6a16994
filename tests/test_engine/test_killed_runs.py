"""Whatever kills a run: its last good checkpoint is found and goes on exactly."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from sealpose.engine import Preempted, find_resumable, read_checkpoint, whole_files
from sealpose.engine.hooks.whole_checkpoint import INTERRUPTED
from sealpose.engine.whole_files import write_whole

from .runs import (
    At,
    CrashError,
    assert_identical,
    crash,
    exact_cfg,
    final_state,
    in_child,
    signal_oneself,
    train,
)

ITERATIONS = 20


class Tell(At):
    """Writes a byte to a pipe at every iteration."""

    def __init__(self, pipe):
        self.pipe = pipe

    def after_train_iter(self, runner, *args, **kwargs):
        os.write(self.pipe, b'.')


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


never_stopped = {}


@pytest.fixture
def straight(tiny_cfg, tmp_path):
    """What becomes of a run that nobody stops; trained once."""
    if not never_stopped:
        train(exact_cfg(tiny_cfg, 'straight'))
        never_stopped.update(final_state(tmp_path / 'straight'))
    return never_stopped


def wait_for(pipe, count):
    """Return after so many bytes have come."""
    while count:
        count -= len(os.read(pipe, count))


def test_sigkill_at_random_moments_changes_no_bit(tiny_cfg, tmp_path, straight, pipe):
    moments = random.Random()
    # Always further than an epoch, so that each life leaves a checkpoint.
    for life in range(3):
        cfg = exact_cfg(tiny_cfg, 'killed')
        child = in_child(train, cfg, Tell(pipe[1]), resume=life > 0)
        wait_for(pipe[0], 5 + moments.randrange(3))
        time.sleep(moments.uniform(0, 0.05))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
    assert find_resumable(tmp_path / 'killed') is not None
    runner = train(exact_cfg(tiny_cfg, 'killed'), resume=True)
    assert runner.iter == ITERATIONS
    assert_identical(straight, final_state(tmp_path / 'killed'))


@pytest.mark.parametrize(
    ('file', 'named'),
    [('epoch_3.pth', 'epoch_2.pth'), ('last_checkpoint', 'epoch_1.pth')],
)
def test_sigkill_while_a_file_is_half_written(
    tiny_cfg, tmp_path, straight, pipe, monkeypatch, file, named
):
    write = whole_files._write

    def write_half(opened, content):
        if file in opened.name and (tmp_path / 'killed/epoch_2.pth').exists():
            opened.write(content[: len(content) // 2])
            opened.flush()
            os.write(pipe[1], b'.')
            time.sleep(60)
        write(opened, content)

    with monkeypatch.context() as patch:
        patch.setattr(whole_files, '_write', write_half)
        child = in_child(train, exact_cfg(tiny_cfg, 'killed'))
        wait_for(pipe[0], 1)
        child.kill()
        child.join()
    unfinished = list((tmp_path / 'killed').glob(f'.{file}*'))
    assert len(unfinished) == 1
    assert find_resumable(tmp_path / 'killed').name == named
    train(exact_cfg(tiny_cfg, 'killed'), resume=True)
    assert_identical(straight, final_state(tmp_path / 'killed'))
    assert not list((tmp_path / 'killed').glob('.*'))


def test_sigterm_saves_and_ends_with_the_code_for_requeueing(
    tiny_cfg, tmp_path, straight, pipe
):
    child = in_child(train, exact_cfg(tiny_cfg, 'stopped'), Tell(pipe[1]))
    wait_for(pipe[0], 6)
    child.terminate()
    child.join()
    assert child.exitcode == 75
    last = find_resumable(tmp_path / 'stopped')
    assert last.name == INTERRUPTED
    assert 6 <= read_checkpoint(last)['meta']['iter'] < ITERATIONS
    train(exact_cfg(tiny_cfg, 'stopped'), resume=True)
    assert_identical(straight, final_state(tmp_path / 'stopped'))


class InValidation(Hook):
    """Does something as a validation starts."""

    def __init__(self, action):
        self.action = action

    def before_val_epoch(self, runner):
        self.action()


def test_a_signal_during_validation_waits_for_its_end(tiny_cfg, tmp_path, straight):
    with pytest.raises(Preempted):
        train(exact_cfg(tiny_cfg, 'stopped'), InValidation(signal_oneself))
    meta = read_checkpoint(tmp_path / 'stopped' / INTERRUPTED)['meta']
    assert (meta['epoch'], meta['iter'], meta['validated']) == (2, 10, True)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    train(exact_cfg(tiny_cfg, 'stopped'), resume=True)
    assert_identical(straight, final_state(tmp_path / 'stopped'))


@pytest.mark.parametrize('loop', ['epoch', 'iteration'])
def test_a_validation_that_was_cut_off_is_caught_up_on(tiny_cfg, tmp_path, loop):
    # In the iteration-based run, validations and checkpoints coincide.
    options = {'default_hooks.checkpoint.interval': {'epoch': 1, 'iteration': 7}[loop]}
    validations = []

    def cfg():
        return exact_cfg(tiny_cfg, 'run', loop, **options)

    with pytest.raises(CrashError):
        train(cfg(), InValidation(crash))
    cut_off = read_checkpoint(find_resumable(tmp_path / 'run'))['meta']
    assert cut_off['iter'] == {'epoch': 10, 'iteration': 7}[loop]
    count = InValidation(lambda: validations.append(1))
    train(cfg(), count, resume=True)
    # After the epochs 2 and 4, or the iterations 7, 14 and 20.
    assert len(validations) == {'epoch': 2, 'iteration': 3}[loop]
    train(cfg(), count, resume=True)
    assert len(validations) <= {'epoch': 3, 'iteration': 4}[loop]


class TestWhichCheckpoint:
    """Of several files, some of them damaged."""

    @pytest.fixture
    def folder(self, tmp_path):
        content = dict(state_dict={}, optimizer={}, message_hub={}, meta={})
        for age, name in enumerate(('epoch_3', 'epoch_2', 'epoch_1')):
            path = tmp_path / f'{name}.pth'
            torch.save(content, path)
            os.utime(path, (1000 - age, 1000 - age))
        torch.save(dict(state_dict={}, meta={}), tmp_path / 'best_MPJPE_epoch_3.pth')
        (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_3.pth'))
        return tmp_path

    def test_the_one_that_is_named(self, folder):
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
        assert find_resumable(folder).name == 'epoch_2.pth'

    def test_named_but_damaged(self, folder, monkeypatch):
        said = []
        monkeypatch.setattr(
            'sealpose.engine.resume.print_log', lambda message, *_: said.append(message)
        )
        (folder / 'epoch_3.pth').write_bytes(b'PK cut short')
        assert find_resumable(folder).name == 'epoch_2.pth'
        assert 'epoch_3.pth is not a readable checkpoint' in said[0]
        assert said[0].endswith('epoch_2.pth instead')

    @pytest.mark.parametrize('named', ['', 'gone/epoch_9.pth', '\x00\ufffd'])
    def test_named_but_missing(self, folder, named):
        (folder / 'last_checkpoint').write_text(named)
        assert find_resumable(folder).name == 'epoch_3.pth'

    def test_none_named(self, folder):
        (folder / 'last_checkpoint').unlink()
        assert find_resumable(folder).name == 'epoch_3.pth'

    def test_the_folder_was_moved(self, folder, tmp_path_factory):
        moved = folder.rename(tmp_path_factory.mktemp('elsewhere') / 'run')
        assert find_resumable(moved) == moved / 'epoch_3.pth'

    def test_all_damaged(self, folder):
        for path in folder.glob('*.pth'):
            path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(ValueError, match=r'no checkpoint in .* can be read'):
            find_resumable(folder)

    def test_nothing_saved_yet(self, tmp_path):
        assert find_resumable(tmp_path) is None
        assert find_resumable(tmp_path / 'nowhere') is None


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / 'x.pth'
    write_whole(path, b'old')

    def fail(opened, content):
        opened.write(content[:1])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(whole_files, '_write', fail)
    with pytest.raises(OSError, match='No space left'):
        write_whole(path, b'new')
    assert path.read_bytes() == b'old'
    assert [Path(p).name for p in os.listdir(tmp_path)] == ['x.pth']
