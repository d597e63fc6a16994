"""One process of a training run: ``RANK WORLD FOLDER``; saves its weights there."""

import os
import sys
from pathlib import Path

import torch

from .tiny import TinyLifter, make_runner, seal


def main(rank: int, world: int, folder: Path) -> None:
    torch.set_num_threads(1)
    options = {}
    if world > 1:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
        torch.distributed.init_process_group(
            'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=world
        )
        wrapper = {'type': 'MMDistributedDataParallel', 'device_ids': None}
        wrapper['broadcast_buffers'] = False
        options = {'launcher': 'pytorch', 'cfg': {'model_wrapper_cfg': wrapper}}
    model = TinyLifter()
    model.net[1].p = 0.0
    graph = {'type': 'GraphLossNet', 'skeleton': 'h36m17', 'embed_dims': 16}
    hook = seal(
        loss_net={**graph, 'num_heads': 2, 'depth': 2, 'dropout': 0.0},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
    )
    runner = make_runner(
        folder / f'work_{world}',
        hook,
        model=model,
        batch_size=4 // world,
        shuffle=False,
        **options,
    )
    runner.train()
    weights = {'pose': model.state_dict(), 'seal': hook.trainer.loss_net.state_dict()}
    torch.save(weights, folder / f'weights_{world}_{rank}.pth')


if __name__ == '__main__':
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    # Not every torch gets through the interpreter's exit after gloo.
    sys.stdout.flush()
    os._exit(0)
