"""Stop and resume equals no stop, bit for bit, with two processes."""

import os

import pytest
import torch

from sealpose.engine import Preempted, find_resumable, read_checkpoint

from .runs import (
    At,
    assert_identical,
    exact_cfg,
    final_state,
    in_child,
    signal_oneself,
    train,
)

pytestmark = pytest.mark.filterwarnings('ignore:torch.cuda.amp.GradScaler')
# Of 64 windows each process gets 32: three batches an epoch, the last of 6 windows.
EPOCHS = 2


def one_process(rank, meeting, cfg, *hooks, resume):
    """A process of a run of two; ends as the run does."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{meeting}', rank=rank, world_size=2
    )
    cfg.launcher = 'pytorch'
    code = 0
    try:
        train(cfg, *hooks, resume=resume)
    except Preempted as stop:
        code = stop.code
    # Not every torch gets through the interpreter's exit after gloo.
    os._exit(code)


@pytest.fixture
def run_both(tiny_cfg, tmp_path):
    """Run two processes; only the second one is signalled."""
    runs = iter(range(9))

    def run(work_dir, precision, signal_at=None, resume=False):
        options = {
            'train_cfg.max_epochs': EPOCHS,
            'default_hooks.preemption.interval': 2,
        }
        meeting = tmp_path / f'meeting_{next(runs)}'
        processes = []
        for rank in range(2):
            cfg = exact_cfg(tiny_cfg, work_dir, 'epoch', precision, **options)
            if precision == 'fp32':
                # In place of the energy, another loss through the running statistics.
                cfg.custom_hooks[0].energy_at = 'training'
                cfg.model.losses_at_inference = dict(bone=dict(type='BoneLengthLoss'))
            hooks = [At(signal_at, signal_oneself)] if signal_at and rank else []
            processes.append(
                in_child(one_process, rank, meeting, cfg, *hooks, resume=resume)
            )
        for process in processes:
            process.join(120)
        return [process.exitcode for process in processes]

    return run


@pytest.mark.parametrize(
    ('precision', 'resumed_from'),
    [('fp32', 'epoch_1.pth'), ('bf16', 'interrupted.pth')],
)
def test_stop_and_resume_of_two_processes(run_both, tmp_path, precision, resumed_from):
    assert run_both('straight', precision) == [0, 0]
    # Both look at the signals after the iterations 2, 4, 6, ...
    assert run_both('stopped', precision, signal_at=3) == [75, 75]
    last = find_resumable(tmp_path / 'stopped')
    assert last.name == 'interrupted.pth'
    assert read_checkpoint(last)['meta']['iter'] == 4
    # From the end of an epoch, between two updates: each process has gradients.
    first = read_checkpoint(tmp_path / 'stopped/epoch_1.pth')
    assert first['meta']['iter'] == 3
    pose_gradients = [process[0] for process in first['waiting_gradients']]
    assert len(pose_gradients) == 2
    assert not torch.equal(pose_gradients[0][0], pose_gradients[1][0])
    path = tmp_path / 'stopped' / resumed_from
    (tmp_path / 'stopped/last_checkpoint').write_text(str(path))
    assert run_both('stopped', precision, resume=True) == [0, 0]
    assert_identical(
        *(final_state(tmp_path / name) for name in ('straight', 'stopped'))
    )
