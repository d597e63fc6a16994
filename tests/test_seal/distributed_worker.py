"""One process of many small training runs, alone or with others over gloo."""

import itertools
import os
import sys
import traceback
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from mmengine.hooks import Hook
from torch import nn

from .tiny import TinyLifter, make_runner, seal

RATIO = {'energy_weight': None, 'energy_ratio': 0.5}
# What the hook can be told; in float64, so that nothing is left but what the processes
# do differently: training amplifies rounding.
RUNS = {
    'weight': {},
    'ratio': RATIO,
    'one_pass': {**RATIO, 'one_pass': True},
    'corrections': {
        **RATIO,
        'updates': 2,
        'contrast': {'corrections': [{'type': 'TrueBoneLengths'}]},
    },
}
# Each process draws negatives of its own, so that one alone trains differently.
RANDOM = {
    'negatives': {
        **RATIO,
        'updates': 2,
        'contrast': {'negatives': [{'type': 'JointNoise', 'std': 0.2}]},
    }
}
# Precision, accumulated batches, negatives: how users train.
MATRIX = list(itertools.product(('fp32', 'bf16'), (1, 2), ('shared', 'fresh')))
GLOBAL_BATCH = 4


class HalfInTraining(nn.Module):
    """Differs between training and evaluation, as dropout, without random numbers."""

    def forward(self, x):
        return x / 2 if self.training else x


class Watch(Hook):
    """Keeps the first weights; makes a process drift away if it is told to."""

    def __init__(self, seal_hook, drifts=False):
        self.seal_hook = seal_hook
        self.drifts = drifts

    def before_train(self, runner):
        self.start = copy_of(runner.model, self.seal_hook)

    def after_train_iter(self, runner, *args, **kwargs):
        if self.drifts and runner.iter == 0:
            with torch.no_grad():
                next(self.seal_hook.trainer.loss_net.parameters()).add_(1e-6)


def copy_of(model, hook):
    model = getattr(model, 'module', model)
    parts = {'pose': model, 'seal': hook.trainer.loss_net}
    return {
        part: {key: value.clone() for key, value in net.state_dict().items()}
        for part, net in parts.items()
    }


def start_process(rank: int, world: int, folder: Path) -> BaseProcess:
    """Start a process, with all that is imported here."""
    process = get_context('fork').Process(target=_process, args=(rank, world, folder))
    process.start()
    return process


def _process(rank: int, world: int, folder: Path) -> None:
    code = 0
    try:
        results = run_all(rank, world, folder)
        torch.save(results, folder / f'{world}_{rank}.pth')
    except BaseException:
        traceback.print_exc()
        code = 1
    # Not every torch gets through the interpreter's exit after gloo.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run_all(rank: int, world: int, folder: Path) -> dict:
    """Return the results of all runs by name."""
    options = connect(rank, world, folder) if world > 1 else {}
    results = {}

    def run(name, **kwargs):
        place = folder / f'{"_".join(map(str, (*name, world)))}'
        results[name] = train(place, world, options, **kwargs)

    for precision, count, negatives in MATRIX:
        optim = optim_wrapper(precision, count)
        run((precision, count, negatives), optim=optim, negatives=negatives)
    if world == 2:
        run(('drifted',), drifts=rank == 1)
    if world <= 2:
        torch.set_default_dtype(torch.float64)
        try:
            for name, kwargs in {**RUNS, **(RANDOM if world > 1 else {})}.items():
                run((name,), **kwargs)
        finally:
            torch.set_default_dtype(torch.float32)
    return results


def optim_wrapper(precision: str, count: int) -> dict:
    config = {'accumulative_counts': count}
    if precision == 'bf16':
        config['type'] = 'Bf16OptimWrapper'
    return config


def connect(rank: int, world: int, folder: Path) -> dict:
    """Join the other processes; return what a Runner has to be told."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet_{world}', rank=rank, world_size=world
    )
    wrapper = {'type': 'MMDistributedDataParallel', 'device_ids': None}
    wrapper['broadcast_buffers'] = False
    return {'launcher': 'pytorch', 'cfg': {'model_wrapper_cfg': wrapper}}


def train(
    folder: Path,
    world: int,
    options: dict,
    optim: dict | None = None,
    drifts: bool = False,
    **kwargs,
) -> dict:
    """Return the weights of pose-net and loss-net before and after, and the balance."""
    optim = optim or {}
    model = TinyLifter()
    model.net[1] = HalfInTraining()
    graph = {'type': 'GraphLossNet', 'skeleton': 'h36m17', 'embed_dims': 16}
    hook = seal(
        loss_net={**graph, 'num_heads': 2, 'depth': 2, 'dropout': 0.0},
        optim_wrapper={**optim, 'optimizer': {'type': 'SGD', 'lr': 0.1}},
        **kwargs,
    )
    watch = Watch(hook, drifts)
    runner = make_runner(
        folder,
        hook,
        watch,
        model=model,
        batch_size=GLOBAL_BATCH // world,
        shuffle=False,
        epochs=optim.get('accumulative_counts', 1),
        optim_wrapper={**optim, 'optimizer': {'type': 'SGD', 'lr': 0.05}},
        **options,
    )
    runner.train()
    return {
        **copy_of(model, hook),
        'start': watch.start,
        'balance': hook.energy_term.balance.state_dict(),
    }
