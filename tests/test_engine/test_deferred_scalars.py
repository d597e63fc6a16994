"""Nothing is read from the device in an iteration, and the log is that of mmengine."""

import pytest
import torch
from mmengine.runner import Runner
from torch.utils._python_dispatch import TorchDispatchMode

from sealpose.apis import build_trainer

# These wait for a GPU, as do the methods of Tensor below.
WAITING = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.masked_select.default,
}
WAITING_METHODS = ('tolist', 'cpu', 'numpy')
CLIPPED = {'optim_wrapper.clip_grad': dict(max_norm=1.0)}
QUIET = {
    'train_dataloader.batch_size': 16,  # four iterations an epoch
    'train_cfg.max_epochs': 2,
    'default_hooks.logger.interval': 100,
}


class Reads(TorchDispatchMode):
    """Counts operations that copy values to the host."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func in WAITING
        return func(*args, **(kwargs or {}))


def reads_of_iterations(cfg, monkeypatch):
    """Train; return how often each iteration read from the device."""
    runner = build_trainer(cfg)
    loop = runner.train_loop
    run_iter, counts = loop.run_iter, []

    def run_iter_watched(*args):
        with Reads() as reads, monkeypatch.context() as patch:
            for name in WAITING_METHODS:
                patch.setattr(torch.Tensor, name, counted(name, reads))
            run_iter(*args)
        counts.append(reads.count)

    loop.run_iter = run_iter_watched
    runner.train()
    return counts


def counted(name, reads):
    method = getattr(torch.Tensor, name)

    def call(tensor, *args, **kwargs):
        reads.count += 1
        return method(tensor, *args, **kwargs)

    return call


@pytest.mark.parametrize(
    ('config', 'options'),
    [
        ('configs/baseline/simplebaseline_sample.py', {}),
        ('configs/baseline/simplebaseline_sample.py', CLIPPED),
        ('configs/seal/simplebaseline_sample.py', {}),
        ('configs/seal/videopose_sample.py', CLIPPED),
        (
            'configs/seal/videopose_sample.py',
            {'optim_wrapper.accumulative_counts': 2, 'model.flip_prob': 0.5},
        ),
    ],
)
def test_an_iteration_does_not_wait_for_the_device(
    tiny_cfg, monkeypatch, config, options
):
    cfg = tiny_cfg(config, **{**QUIET, **options})
    counts = reads_of_iterations(cfg, monkeypatch)
    logged = [number % 4 == 3 for number in range(8)]  # at the ends of the epochs
    assert [count > 0 for count in counts] == logged


def test_mmengine_waits_in_every_iteration(tiny_cfg, monkeypatch):
    """Else the test above could not fail."""
    cfg = tiny_cfg('configs/seal/simplebaseline_sample.py', **QUIET)
    cfg.default_hooks.runtime_info.type = 'RuntimeInfoHook'
    assert min(reads_of_iterations(cfg, monkeypatch)) > 0


def test_the_log_is_that_of_mmengine(tiny_cfg, tmp_path):
    histories = []
    for name in ('RuntimeInfoHook', 'DeferredScalarsHook'):
        cfg = tiny_cfg('configs/seal/videopose_sample.py', **{**QUIET, **CLIPPED})
        cfg.default_hooks.logger.interval = 3
        cfg.default_hooks.runtime_info.type = name
        cfg.work_dir = str(tmp_path / name)
        runner = build_trainer(cfg)
        runner.train()
        histories.append(scalars(runner))
    assert histories[0] == histories[1]
    assert len(histories[1]['train/grad_norm']) == 8
    assert {'train/loss', 'train/loss_pose', 'train/lr'} <= histories[1].keys()


def scalars(runner: Runner) -> dict[str, list[float]]:
    return {
        name: buffer.data[0].tolist()
        for name, buffer in runner.message_hub.log_scalars.items()
        if 'time' not in name and 'data_share' not in name
    }


def test_clipping_is_left_as_it_was(tiny_cfg):
    cfg = tiny_cfg('configs/baseline/simplebaseline_sample.py', **{**QUIET, **CLIPPED})
    runner = build_trainer(cfg)
    runner.train()
    assert runner.optim_wrapper.clip_func is torch.nn.utils.clip_grad_norm_


def test_where_the_log_is_rare_the_scalars_are_read_all_the_same(tiny_cfg, monkeypatch):
    monkeypatch.setattr('sealpose.engine.hooks.deferred_scalars.MOST_UNREAD', 2)
    cfg = tiny_cfg('configs/baseline/simplebaseline_sample.py', **QUIET)
    counts = reads_of_iterations(cfg, monkeypatch)
    assert [count > 0 for count in counts] == [False, True] * 4
