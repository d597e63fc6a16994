"""One process of some training runs: ``RANK WORLD FOLDER``; saves their weights."""

import os
import sys
from pathlib import Path

import torch

from .tiny import TinyLifter, make_runner, seal

RATIO = {'energy_weight': None, 'energy_ratio': 0.5}
RUNS = {
    'weight': {},
    'ratio': RATIO,
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


def connect(rank: int, world: int, folder: Path) -> dict:
    """Join the other processes; return what a Runner has to be told."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=world
    )
    wrapper = {'type': 'MMDistributedDataParallel', 'device_ids': None}
    wrapper['broadcast_buffers'] = False
    return {'launcher': 'pytorch', 'cfg': {'model_wrapper_cfg': wrapper}}


def train(folder: Path, world: int, options: dict, **kwargs) -> dict:
    """Return weights of pose-net and loss-net, and the state of the balance."""
    model = TinyLifter()
    model.net[1].p = 0.0
    graph = {'type': 'GraphLossNet', 'skeleton': 'h36m17', 'embed_dims': 16}
    hook = seal(
        loss_net={**graph, 'num_heads': 2, 'depth': 2, 'dropout': 0.0},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        **kwargs,
    )
    runner = make_runner(
        folder,
        hook,
        model=model,
        batch_size=4 // world,
        shuffle=False,
        epochs=1,
        **options,
    )
    runner.train()
    return {
        'pose': model.state_dict(),
        'seal': hook.trainer.loss_net.state_dict(),
        'balance': hook.energy_term.balance.state_dict(),
    }


def main(rank: int, world: int, folder: Path) -> None:
    torch.set_num_threads(1)
    # Training amplifies rounding; in float64 what is left is the processes' own.
    torch.set_default_dtype(torch.float64)
    options, runs = {}, RUNS
    if world > 1:
        options, runs = connect(rank, world, folder), {**RUNS, **RANDOM}
    results = {
        name: train(folder / f'{name}_{world}', world, options, **kwargs)
        for name, kwargs in runs.items()
    }
    torch.save(results, folder / f'weights_{world}_{rank}.pth')


if __name__ == '__main__':
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    # Not every torch gets through the interpreter's exit after gloo.
    sys.stdout.flush()
    os._exit(0)
