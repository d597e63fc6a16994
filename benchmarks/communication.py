#!/usr/bin/env python
"""What several GPUs exchange in a step, and what that lets them gain.

    python benchmarks/communication.py CONFIG... [--link 10 25 200] [--step-ms 100]

DDP all-reduces the float32 gradients of the pose-net, and SEAL those of the loss-net. A
ring all-reduce of P parameters sends and receives 2 (R - 1) / R x 4 P bytes in each of
R processes. The slowest link decides. What the backward pass cannot hide is, at worst,
all of it: the efficiency printed is step / (step + exchange), for the step that
--step-ms gives, the time of a step in one process with its own batch.
"""

import argparse

from tabulate import tabulate

from sealpose.apis import load_config
from sealpose.apis.config import config_name
from sealpose.apis.preflight import build_model
from sealpose.registry import LOSS_NETS
from sealpose.skeletons.build import build_for_skeleton


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Print the bytes that DDP exchanges in a step and the efficiency '
        'that follows for some links.'
    )
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    parser.add_argument(
        '--link',
        type=float,
        nargs='+',
        default=[10, 100, 3600],
        help='links between the processes, Gbit/s (default: 10 100 3600)',
    )
    parser.add_argument('--processes', type=int, default=8, help='R')
    parser.add_argument(
        '--step-ms', type=float, default=100.0, help='a step in one process'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rows = []
    for path in args.configs:
        pose, loss = parameters(path)
        sent = sent_bytes(pose + loss, args.processes)
        times = [1e3 * sent * 8 / (link * 1e9) for link in args.link]
        rows.append([
            config_name(load_config(path)),
            pose,
            loss,
            sent / 2**20,
            *(f'{t:.2f} ms, {args.step_ms / (args.step_ms + t):.0%}' for t in times),
        ])  # fmt: skip
    links = [f'{link:g} Gbit/s' for link in args.link]
    print(f'{args.processes} processes, {args.step_ms:g} ms a step in one of them')
    columns = ['config', 'pose-net', 'loss-net', 'MiB sent', *links]
    print(tabulate(rows, columns, floatfmt='.1f', tablefmt='github'))


def parameters(path: str) -> tuple[int, int]:
    """Count the parameters of pose-net and loss-net that are trained."""
    cfg = load_config(path)
    model = build_model(cfg)
    hooks = [h for h in cfg.get('custom_hooks', []) if h.type == 'SEALHook']
    trained = [h for h in hooks if not h.get('static', False)]
    loss_nets = [
        build_for_skeleton(LOSS_NETS, h.loss_net, model.skeleton) for h in trained
    ]
    return tuple(
        sum(p.numel() for net in nets for p in net.parameters() if p.requires_grad)
        for nets in ([model], loss_nets)
    )


def sent_bytes(parameters: int, processes: int) -> float:
    """Return what a process sends in a ring all-reduce of float32 gradients."""
    return 2 * (processes - 1) / processes * 4 * parameters


if __name__ == '__main__':
    main()
