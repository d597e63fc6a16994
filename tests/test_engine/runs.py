"""Small runs with everything on that could make a resumed run differ."""

import os
import signal
from multiprocessing import get_context

import torch
from mmengine.hooks import Hook

from sealpose.apis import build_trainer
from sealpose.engine import read_checkpoint

SEAL = 'configs/seal/videopose_sample.py'
# What a run is; the rest of a checkpoint is when and how it was written.
STATE = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'seal')
# 64 windows make 5 batches, the last one short; two are accumulated, so that every
# other epoch ends between two updates.
RUN = {
    'train_dataloader.batch_size': 13,
    'train_cfg.max_epochs': 4,
    'train_cfg.val_interval': 2,
    'val_dataloader.dataset.frames': 10,
    'model.backbone.channels': 8,
    'model.backbone.dropout': 0.25,
    'optim_wrapper.accumulative_counts': 2,
    'default_hooks.logger.interval': 100,
}
ITERATIONS = 20
BF16 = {'optim_wrapper.type': 'Bf16OptimWrapper'}
# Saves in the middle of what the epoch-based run calls an epoch.
BY_ITERATION = {
    'train_dataloader.sampler.type': 'InfiniteSampler',
    'train_dataloader.num_workers': 0,
    'default_hooks.checkpoint.by_epoch': False,
    'default_hooks.checkpoint.interval': 3,
    'log_processor.by_epoch': False,
}


def exact_cfg(load, work_dir, loop='epoch', precision='fp32', **options):
    """A run with SEAL, dropout, flips, noise, accumulation and averaged weights."""
    options = {
        **RUN,
        **(BF16 if precision == 'bf16' else {}),
        **(BY_ITERATION if loop == 'iteration' else {}),
        **options,
    }
    cfg = load(SEAL, work_dir, **options)
    cfg.model.augmentations = [dict(type='DetectorNoise', sigma=5.0)]
    cfg.custom_hooks[0].warmup_iters = 2
    cfg.custom_hooks[0].optim_wrapper.accumulative_counts = 2
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.1))
    if loop == 'iteration':
        cfg.train_cfg = dict(by_epoch=False, max_iters=ITERATIONS, val_interval=7)
        cfg.param_scheduler = [dict(type='PolyLR', by_epoch=False)]
    return cfg


class At(Hook):
    """Does something at the end of an iteration."""

    priority = 'HIGHEST'

    def __init__(self, iteration, action):
        self.iteration = iteration
        self.action = action

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == self.iteration:
            self.action()


class CrashError(Exception):
    """Ends a run as a fault would."""


def crash():
    raise CrashError


def signal_oneself():
    os.kill(os.getpid(), signal.SIGUSR1)


def train(cfg, *hooks, resume=False):
    cfg.resume = resume
    runner = build_trainer(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def final_state(work_dir):
    """All that a run has become, from its last checkpoint."""
    checkpoint = read_checkpoint((work_dir / 'last_checkpoint').read_text())
    return {key: checkpoint[key] for key in STATE if key in checkpoint}


def assert_identical(first, second, name=''):
    """Compare nested containers, tensors bit for bit."""
    assert type(first) is type(second), name
    if isinstance(first, dict):
        assert list(first) == list(second), name
        for key in first:
            assert_identical(first[key], second[key], f'{name}.{key}')
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), name
        for number, pair in enumerate(zip(first, second, strict=True)):
            assert_identical(*pair, f'{name}.{number}')
    elif isinstance(first, torch.Tensor):
        assert first.dtype == second.dtype, name
        assert torch.equal(first, second), name
    else:
        assert first == second, name


def in_child(function, *args, **kwargs):
    """Start a function in a process of its own, with all that is imported here."""
    process = get_context('fork').Process(target=function, args=args, kwargs=kwargs)
    process.start()
    return process
