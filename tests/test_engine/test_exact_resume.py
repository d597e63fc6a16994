"""Stop and resume equals no stop, bit for bit."""

import os

import pytest

from sealpose.engine import Preempted, find_resumable, read_checkpoint

from .runs import (
    At,
    CrashError,
    assert_identical,
    crash,
    exact_cfg,
    final_state,
    signal_oneself,
    train,
)

LOOPS = [(loop, p) for loop in ('epoch', 'iteration') for p in ('fp32', 'bf16')]


@pytest.mark.parametrize(('loop', 'precision'), LOOPS)
def test_stop_and_resume_equals_no_stop(tiny_cfg, tmp_path, loop, precision):
    def cfg(work_dir):
        return exact_cfg(tiny_cfg, work_dir, loop, precision)

    train(cfg('straight'))
    straight = final_state(tmp_path / 'straight')

    # Back to the checkpoint after 10 or 12 iterations, and on.
    with pytest.raises(CrashError):
        train(cfg('crashed'), At(13, crash))
    train(cfg('crashed'), resume=True)
    assert_identical(straight, final_state(tmp_path / 'crashed'))

    # On from the very iteration; first inside an accumulation, then at its end, which
    # is also the end of an epoch.
    for iteration, resume in ((7, False), (10, True)):
        with pytest.raises(Preempted) as stop:
            train(cfg('preempted'), At(iteration, signal_oneself), resume=resume)
        assert stop.value.code == os.EX_TEMPFAIL == 75
        last = find_resumable(tmp_path / 'preempted')
        assert last.name == 'interrupted.pth'
        assert read_checkpoint(last)['meta']['iter'] == iteration
    train(cfg('preempted'), resume=True)
    assert_identical(straight, final_state(tmp_path / 'preempted'))
    assert not last.exists()


def test_the_random_numbers_matter_here(tiny_cfg, tmp_path):
    def cfg(work_dir):
        cfg = exact_cfg(tiny_cfg, work_dir)
        cfg.default_hooks.pop('epoch_seed')
        return cfg

    train(cfg('straight'))
    with pytest.raises(CrashError):
        train(cfg('crashed'), At(13, crash))
    train(cfg('crashed'), resume=True)
    with pytest.raises(AssertionError):
        assert_identical(*(final_state(tmp_path / n) for n in ('straight', 'crashed')))
