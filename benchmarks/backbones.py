#!/usr/bin/env python
"""Compare our backbones with the official ones: same numbers, and how fast.

    python benchmarks/backbones.py --official FOLDER [--only MixSTE-27 ...]

FOLDER holds clones of the authors' repositories: benchmarks/official.py tells more,
benchmarks/official_pairs.py has their names.
"""

import argparse
import multiprocessing
import statistics
import tempfile
from pathlib import Path

import torch
from official import Pair, official_state
from official_pairs import PAIRS
from results import headline, write_json
from tabulate import tabulate
from torch import Tensor, nn

from sealpose.apis.timing import interleaved_times, median_ratio, train_call
from sealpose.engine.official_weights import import_official
from sealpose.registry import BACKBONES


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Compare our backbones with the official networks: outputs with '
        'the same weights, and the time of forward and backward.'
    )
    parser.add_argument('--official', type=Path, required=True, metavar='FOLDER')
    parser.add_argument('--only', nargs='+', choices=PAIRS, default=list(PAIRS))
    parser.add_argument('--repeats', type=int, default=9, help='rounds per process')
    parser.add_argument('--processes', type=int, default=5)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    device = torch.device(args.device)
    print(f'{headline(device)}; {args.processes} processes of {args.repeats} rounds')
    # Where in memory a network comes to lie can cost it a third, for the life of a
    # process: so several processes, one after the other.
    jobs = [(name, args, device) for name in args.only for _ in range(args.processes)]
    context = multiprocessing.get_context('spawn')
    with context.Pool(1, maxtasksperchild=1) as pool:
        found = iter(pool.starmap(compare, jobs, chunksize=1))
    rows = [summarise([next(found) for _ in range(args.processes)]) for _ in args.only]
    print(
        tabulate(
            rows, headers='keys', floatfmt=('', '', '', '.1e', '.1f', '.1f', '.3f')
        )
    )
    if args.json:
        settings = dict(processes=args.processes, repeats=args.repeats)
        write_json(args.json, rows, device, **settings)


def compare(name: str, args: argparse.Namespace, device: torch.device) -> dict:
    """Compare one pair; a row of the table."""
    pair = PAIRS[name]
    official = pair.load(args.official).to(device)
    ours = imported(pair, official).to(device)
    x = torch.randn(pair.batch, pair.frames, pair.joints, 2, device=device)
    difference = largest_difference(pair, official, ours, x)
    times = interleaved_times(
        {
            'official': train_call(
                official.train(), pair.official_input(x), pair.output
            ),
            'ours': train_call(ours.train(), x),
        },
        args.repeats,
        device,
    )
    return {
        'network': name,
        'parameters': sum(p.numel() for p in ours.parameters()),
        'batch': pair.batch,
        'largest difference': difference,
        'official ms': 1e3 * statistics.median(times['official']),
        'ours ms': 1e3 * statistics.median(times['ours']),
        'ratio': median_ratio(times['ours'], times['official']),
    }


def summarise(runs: list[dict]) -> dict:
    """Join the processes of one pair: medians, and the range of the ratio."""
    ratios = [run['ratio'] for run in runs]
    medians = {
        key: statistics.median(run[key] for run in runs)
        for key in ('official ms', 'ours ms', 'ratio')
    }
    largest = max(run['largest difference'] for run in runs)
    return {
        **runs[0],
        **medians,
        'largest difference': largest,
        'range': f'{min(ratios):.2f}-{max(ratios):.2f}',
    }


def imported(pair: Pair, official: nn.Module) -> nn.Module:
    """Give our backbone the official weights, through the importer."""
    inner = getattr(official, 'network', official)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'official.pth'
        torch.save(official_state(inner), path)
        weights = import_official(pair.backbone, path, pair.settings)
    ours = BACKBONES.build(weights.backbone)
    ours.load_state_dict(weights.state_dict)
    for module in ours.modules():
        if hasattr(module, 'drop_prob'):
            module.drop_prob = 0.0
    return ours


@torch.no_grad()
def largest_difference(
    pair: Pair, official: nn.Module, ours: nn.Module, x: Tensor
) -> float:
    """Largest difference of the outputs in eval mode, in the units of the output."""
    expected = pair.output(official.eval()(pair.official_input(x)))
    return float((ours.eval()(x) - expected).abs().max())


if __name__ == '__main__':
    main()
