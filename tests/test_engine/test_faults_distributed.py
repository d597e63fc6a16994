"""What goes wrong in one process of a run must not leave the others waiting."""

import os
import signal
import sys
import traceback

import pytest
import torch
from mmengine.hooks import Hook

from sealpose.apis import build_trainer
from sealpose.engine import find_resumable, read_checkpoint

from .runs import At, CrashError, assert_identical, in_child, signal_oneself, train
from .test_finite import Fault, Overflow, cfg_of, origin

pytestmark = pytest.mark.filterwarnings('ignore')
# Each process has 32 of 64 windows: two iterations in each of two epochs.
BATCH = {'train_dataloader.batch_size': 16}


class Kill(At):
    """Ends its process without a word."""

    def __init__(self, iteration):
        super().__init__(iteration, lambda: os.kill(os.getpid(), signal.SIGKILL))


class Crash(At):
    """Raises what a data set or a transform might raise."""

    def __init__(self, iteration):
        super().__init__(iteration, self.crash)

    def crash(self):
        raise CrashError


class Signalled(At):
    """Is told to stop by its scheduler."""

    def __init__(self, iteration):
        super().__init__(iteration, signal_oneself)


class NaN(Fault):
    """Two windows of the batch of the third iteration hold NaN in 2D."""

    def __init__(self):
        super().__init__('keypoints')


class Spoilt(Overflow):
    """Weights of the loss-net overflow in the last update before a checkpoint."""

    def __init__(self):
        super().__init__('nothing', at=99)


class Weights(Hook):
    """Keeps the pose-net as it is after every iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, *args, **kwargs):
        state = runner.model.state_dict()
        self.seen.append({key: value.clone() for key, value in state.items()})


# The hooks of both processes, and what is special about the run.
RUNS = {
    'stop': ((), (NaN,), {}),
    'skip': ((), (NaN,), {'policy': 'skip'}),
    'skip accumulated': (
        (),
        (NaN,),
        {'policy': 'skip', 'optim_wrapper.accumulative_counts': 2},
    ),
    'signalled': (
        (lambda: Signalled(3),),
        (NaN,),
        {'default_hooks.preemption.interval': 3, 'train_dataloader.batch_size': 8},
    ),
    'spoilt': ((Spoilt,), (), {}),
}


def connect(rank, meeting):
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{meeting}', rank=rank, world_size=2
    )


def leave(code):
    # Not every torch gets through the interpreter's exit after gloo.
    sys.stderr.flush()
    os._exit(code)


def run_all(rank, folder, cfgs):
    """Go through all runs, whatever becomes of them; tell what did."""
    try:
        connect(rank, folder / 'meeting')
        told = {name: outcome(cfg, RUNS[name][rank]) for name, cfg in cfgs.items()}
        torch.save(told, folder / f'told_{rank}.pth')
    except BaseException:
        traceback.print_exc()
        leave(1)
    leave(0)


def outcome(cfg, hooks):
    weights = Weights()
    hooks = [hook() for hook in hooks]
    runner = build_trainer(cfg)
    for hook in (weights, *hooks):
        runner.register_hook(hook)
    error = ''
    try:
        runner.train()
    except Exception as caught:
        error = f'{type(caught).__name__}: {caught}'
    frames = [hook.frames.tolist() for hook in hooks if hasattr(hook, 'frames')]
    return dict(error=error, weights=weights.seen, frames=frames)


@pytest.fixture(scope='module')
def shared():
    return {}


@pytest.fixture
def told(tiny_cfg, tmp_path, shared):
    """What both processes tell of each run, and where its files are."""
    if not shared:
        cfgs = {}
        for name, (*_, options) in RUNS.items():
            options = dict(options)
            policy = options.pop('policy', 'stop')
            cfg = cfg_of(tiny_cfg, policy, name.split()[-1], **{**BATCH, **options})
            cfg.launcher = 'pytorch'
            cfgs[name] = cfg
        children = [in_child(run_all, rank, tmp_path, cfgs) for rank in range(2)]
        for child in children:
            child.join(120)
        assert [child.exitcode for child in children] == [0, 0]
        for name, cfg in cfgs.items():
            work_dir = tmp_path / os.path.basename(cfg.work_dir)
            files = [torch.load(tmp_path / f'told_{rank}.pth') for rank in range(2)]
            shared[name] = (work_dir, *(file[name] for file in files))
    return shared


def named_windows(work_dir, told_of_it):
    checkpoint = read_checkpoint(find_resumable(work_dir))
    (frames,) = told_of_it['frames']
    names = [origin(checkpoint['meta']['dataset_meta'], first) for first, *_ in frames]
    return 'Samples: ' + '; '.join(names)


def log_of(work_dir):
    (log,) = work_dir.glob('*/*.log')
    return log.read_text()


def test_nan_in_one_process_stops_all_which_name_it(told):
    work_dir, first, second = told['stop']
    assert first['error'] == second['error']
    assert first['error'].startswith(
        'NonFiniteError: NaN or infinity in iteration 3 on process 1: first in '
        'keypoints_2d of the batch, then in prediction'
    )
    assert named_windows(work_dir, second) in first['error']
    assert find_resumable(work_dir).name == 'epoch_1.pth'


@pytest.mark.parametrize(
    ('name', 'skipped'), [('skip', [2]), ('skip accumulated', [2, 3])]
)
def test_nan_in_one_process_lets_all_skip_the_update(told, name, skipped):
    work_dir, first, second = told[name]
    assert first['error'] == second['error'] == ''
    parameters = [
        [
            {key: value for key, value in state.items() if 'running' not in key}
            for state in process['weights']
        ]
        for process in (first, second)
    ]
    # One state, apart from the statistics of batch norm, which each has for itself.
    assert_identical(*([drop_counts(s) for s in process] for process in parameters))
    states = [drop_counts(state) for state in parameters[0]]
    for iteration in skipped:
        assert_identical(states[iteration], states[iteration - 1])
    assert all(v.isfinite().all() for v in first['weights'][-1].values())
    (warning,) = [
        line for line in log_of(work_dir).splitlines() if 'NaN or infinity' in line
    ]
    assert 'iteration 3 on process 1: first in keypoints_2d of the batch' in warning
    assert named_windows(work_dir, second) in warning


def drop_counts(state):
    return {key: v for key, v in state.items() if 'num_batches' not in key}


def test_a_signal_just_after_nan_saves_nothing(told):
    """The other process is signalled before the log would have shown the fault."""
    work_dir, first, second = told['signalled']
    assert 'iteration 3 on process 1: first in keypoints_2d' in first['error']
    assert first['error'] == second['error']
    assert find_resumable(work_dir) is None


def test_a_fault_found_while_saving_ends_all(told):
    work_dir, first, second = told['spoilt']
    assert 'NonFiniteError: NaN or infinity in' in first['error']
    assert 'found when a checkpoint was to be saved' in first['error']
    assert second['error'].split(': ', 1)[1] == first['error'].split(': ', 1)[1]
    assert find_resumable(work_dir).name == 'epoch_1.pth'


def run_to_the_end(rank, folder, cfg, *hooks):
    connect(rank, folder / 'meeting')
    try:
        train(cfg, *hooks)
    except BaseException:
        leave(1)
    leave(0)


@pytest.mark.parametrize(('ends', 'code'), [(Crash, 1), (Kill, -signal.SIGKILL)])
def test_the_end_of_one_process_ends_the_other(tiny_cfg, tmp_path, ends, code):
    cfg = cfg_of(tiny_cfg, **BATCH)
    cfg.launcher = 'pytorch'
    children = [
        in_child(run_to_the_end, rank, tmp_path, cfg, *[ends(3)] * rank)
        for rank in range(2)
    ]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [1, code]
    assert find_resumable(tmp_path / 'run').name == 'epoch_1.pth'
