"""What goes wrong on real machines costs the current interval and nothing else."""

import errno
import multiprocessing
import os
import re
import shutil
import signal

import pytest

from sealpose.apis import build_trainer
from sealpose.engine import find_resumable, read_checkpoint, whole_files
from tests.conftest import h36m_files

from .runs import (
    At,
    CrashError,
    assert_identical,
    crash,
    exact_cfg,
    final_state,
    in_child,
    train,
)

FOUR_EPOCHS = {'train_cfg.max_epochs': 4, 'train_cfg.val_interval': 4}


@pytest.fixture
def full_disk(monkeypatch):
    """Let the writing of some files fail half-way; returns what to call with them."""
    write = whole_files._write

    def fill(*names):
        def fail(opened, content):
            if any(name in opened.name for name in names):
                opened.write(content[: len(content) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(opened, content)

        monkeypatch.setattr(whole_files, '_write', fail)

    return fill


def files(folder):
    """What concerns checkpoints, unfinished ones too."""
    return sorted(
        p.name for p in folder.iterdir() if '.pth' in p.name or 'last' in p.name
    )


def log_of(runner):
    (path,) = (os.path.join(runner.log_dir, f) for f in os.listdir(runner.log_dir)
               if f.endswith('.log'))  # fmt: skip
    with open(path) as file:
        return file.read()


def baseline(load, work_dir='run', **options):
    cfg = load('configs/baseline/videopose_sample.py', work_dir, **options)
    cfg.log_level = 'INFO'
    return cfg


class TestFullDisk:
    def test_training_goes_on_with_the_old_checkpoints(
        self, tiny_cfg, tmp_path, full_disk
    ):
        full_disk('.epoch_2.pth', '.epoch_3.pth')
        runner = train(baseline(tiny_cfg, **FOUR_EPOCHS))
        assert files(tmp_path / 'run') == [
            'best_MPJPE_epoch_4.pth', 'epoch_1.pth', 'epoch_4.pth', 'last_checkpoint',
        ]  # fmt: skip
        told = [line for line in log_of(runner).splitlines() if 'No space left' in line]
        assert len(told) == 2
        assert 'epoch_2.pth could not be written' in told[0]
        # What was never written is not among those to remove later.
        hub = read_checkpoint(tmp_path / 'run/epoch_4.pth')['message_hub']
        assert hub['runtime_info']['keep_ckpt_ids'] == [1, 4]

    def test_so_it_does_where_the_permission_is_taken_away(
        self, tiny_cfg, tmp_path, monkeypatch
    ):
        def refuse(path, mode):
            if '.epoch_2.pth' in str(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return open(path, mode)

        monkeypatch.setattr(whole_files, 'open', refuse, raising=False)
        runner = train(baseline(tiny_cfg, **FOUR_EPOCHS))
        assert find_resumable(tmp_path / 'run').name == 'epoch_4.pth'
        assert log_of(runner).count('Permission denied') == 1

    def test_older_ones_go_only_after_the_new_one_is_there(
        self, tiny_cfg, tmp_path, full_disk
    ):
        full_disk('.epoch_3.pth')
        options = {**FOUR_EPOCHS, 'default_hooks.checkpoint.max_keep_ckpts': 1}
        with pytest.raises(CrashError):
            train(baseline(tiny_cfg, **options), At(7, crash))
        assert find_resumable(tmp_path / 'run').name == 'epoch_2.pth'

    def test_a_run_that_could_not_save_its_end_fails(
        self, tiny_cfg, tmp_path, full_disk
    ):
        full_disk('.epoch_2.pth')
        with pytest.raises(OSError, match=r'epoch_2.pth .*No space.*with --resume'):
            train(baseline(tiny_cfg))
        assert files(tmp_path / 'run') == ['epoch_1.pth', 'last_checkpoint']
        assert find_resumable(tmp_path / 'run').name == 'epoch_1.pth'

    def test_three_failures_in_a_row_end_the_run(self, tiny_cfg, tmp_path, full_disk):
        full_disk('.epoch_')
        with pytest.raises(OSError, match=r'epoch_3.pth could not be written'):
            train(baseline(tiny_cfg, **FOUR_EPOCHS))
        assert files(tmp_path / 'run') == []

    def test_the_best_checkpoint_stays_with_its_score(
        self, tiny_cfg, tmp_path, full_disk
    ):
        options = {**FOUR_EPOCHS, 'train_cfg.val_interval': 1}
        cfg = baseline(tiny_cfg, **options)
        cfg.default_hooks.checkpoint.update(save_best='LSE', rule='greater')
        scores = iter([5.0, 4.0, 6.0, 7.0])

        class Scores(At):
            priority = 'VERY_HIGH'

            def __init__(self):
                pass

            def after_train_iter(self, runner, *args, **kwargs):
                pass

            def after_val_epoch(self, runner, metrics):
                metrics['LSE'] = next(scores)

        full_disk('.best_LSE_epoch_3')
        train(cfg, Scores())
        assert files(tmp_path / 'run') == [
            'best_LSE_epoch_4.pth', 'epoch_3.pth', 'epoch_4.pth', 'last_checkpoint',
        ]  # fmt: skip
        assert 'best_score' in read_checkpoint(tmp_path / 'run/epoch_4.pth')[
            'message_hub']['runtime_info']  # fmt: skip
        third = read_checkpoint(tmp_path / 'run/epoch_3.pth')['message_hub']
        assert third['runtime_info']['best_score'] == 5.0
        assert third['runtime_info']['best_ckpt'].endswith('best_LSE_epoch_1.pth')


def test_a_killed_loader_worker_ends_the_run_which_then_resumes(tiny_cfg, tmp_path):
    def cfg(work_dir, workers):
        cfg = exact_cfg(tiny_cfg, work_dir)
        cfg.train_dataloader.update(num_workers=workers, persistent_workers=workers > 0)
        return cfg

    def kill_worker():
        (worker,) = multiprocessing.active_children()
        os.kill(worker.pid, signal.SIGKILL)

    def train_and_tell():
        try:
            train(cfg('faulty', 1), At(6, kill_worker))
        except RuntimeError as error:
            (tmp_path / 'told').write_text(str(error))

    train(cfg('straight', 0))
    # Elsewhere: torch raises wherever the signal of the worker's end finds a program.
    child = in_child(train_and_tell)
    child.join(60)
    assert re.search(r'worker .* (killed|exited)', (tmp_path / 'told').read_text())
    assert find_resumable(tmp_path / 'faulty').name == 'epoch_1.pth'
    train(cfg('faulty', 1), resume=True)
    assert_identical(*(final_state(tmp_path / name) for name in ('straight', 'faulty')))


class TestDataThatVanish:
    @pytest.fixture
    def cfg(self, tiny_cfg, tmp_path):
        root = h36m_files(tmp_path / 'h36m', frames=12)

        def load(work_dir):
            cfg = exact_cfg(tiny_cfg, work_dir, **{'train_cfg.max_epochs': 2})
            cfg.train_dataloader.dataset = dict(
                type='Human36M', split='train', data_root=str(root), stride=12,
                input_frames=27, output_frames=1,
            )  # fmt: skip
            cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
            return cfg

        # The first reading fills the cache, which later ones map.
        build_trainer(load('first'))
        return load

    def test_removed_files_stay_readable_until_the_run_ends(self, cfg, tmp_path):
        train(cfg('straight'))
        train(cfg('robbed'), At(3, lambda: shutil.rmtree(tmp_path / 'h36m')))
        assert_identical(
            *(final_state(tmp_path / name) for name in ('straight', 'robbed'))
        )
        with pytest.raises(
            FileNotFoundError, match='Human36M needs files that are not'
        ):
            build_trainer(cfg('robbed'))

    def test_a_truncated_cache_kills_the_run_instead_of_hanging_it(self, cfg, tmp_path):
        def truncate():
            for path in (tmp_path / 'h36m').rglob('*.bin'):
                os.truncate(path, 0)

        child = in_child(train, cfg('run'), At(7, truncate))
        child.join(60)
        assert child.exitcode == -signal.SIGBUS
        assert find_resumable(tmp_path / 'run').name == 'epoch_1.pth'


@pytest.mark.parametrize('work_dir', ['/proc/nowhere', 'a_file/run'])
def test_a_work_dir_that_cannot_be_written_is_found_first(tiny_cfg, tmp_path, work_dir):
    (tmp_path / 'a_file').touch()
    cfg = baseline(tiny_cfg)
    cfg.work_dir = str(tmp_path / work_dir)
    with pytest.raises(PermissionError, match='cannot write to its work dir'):
        build_trainer(cfg)
