#!/usr/bin/env python
"""Floating-point operations of a training step: what a GPU should approach.

    python benchmarks/step_flops.py [--only NETWORK ...] [--json FILE]

The forms are those of train_step.py. The ratios bound what a device can reach whose
time goes into matrix products and convolutions; they do not depend on the machine.
"""

import argparse
from collections.abc import Callable

import torch
from mmengine.utils import import_modules_from_strings
from results import headline, write_json
from tabulate import tabulate
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from train_step import NETWORKS, Forms, random_batch

CPU = torch.device('cpu')


class Flops(TorchDispatchMode):
    """Counts those of matrix products, convolutions and attention."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.count += formula(*args, **(kwargs or {}), out_val=result)
        return result


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Count the floating-point operations of a training step: without '
        'SEAL, with ours in several forms, with the published loop.'
    )
    parser.add_argument('--only', nargs='+', choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    import_modules_from_strings(['sealpose.models'])
    print(f'{headline(CPU)}; FLOPs of a step / those of the pose-net alone')
    rows = [row(name) for name in args.only]
    print(tabulate(rows, headers='keys', floatfmt='.2f'))
    if args.json:
        write_json(args.json, rows, CPU)


def row(name: str) -> dict:
    """Count for all forms with one pose-net; the ratios do not depend on the batch."""
    network = NETWORKS[name]
    forms = Forms(network.backbone, CPU, bf16=False, compiled=False)
    data = random_batch(2, network.frames, forms.model.backbone, CPU)
    flops = {form: count(step) for form, step in forms.steps(data).items()}
    base = flops.pop('base')
    return {
        'network': name,
        'GFLOP of a window': base / 2e9,
        **{form: each / base for form, each in flops.items()},
    }


def count(step: Callable[[], object]) -> int:
    """Return the FLOPs of a step."""
    with Flops() as flops:
        step()
    return flops.count


if __name__ == '__main__':
    main()
