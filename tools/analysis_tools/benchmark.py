#!/usr/bin/env python
"""Latency and throughput of pose-nets: benchmark.py configs/baseline/*_h36m.py."""

import argparse
import platform
import statistics
from collections.abc import Callable
from contextlib import nullcontext

import torch
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from tabulate import tabulate
from torch import nn

from sealpose.apis.cli import one_line_errors
from sealpose.apis.config import config_name, load_config
from sealpose.apis.preflight import build_model
from sealpose.apis.timing import interleaved_times


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time the prediction of windows by the backbones of some configs. '
        'All forms of all configs are timed in turn; medians are printed.'
    )
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    parser.add_argument('--batch', type=int, nargs='+', default=[1, 64])
    parser.add_argument('--repeats', type=int, default=20, help='timings of each form')
    parser.add_argument('--device', default=get_device(), help='cpu, cuda, ...')
    parser.add_argument('--bf16', action='store_true', help='also under bf16 autocast')
    parser.add_argument('--compile', action='store_true', help='also compiled')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='replace settings of every config, e.g. model.backbone.num_frames=81',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    device = torch.device(args.device)
    with one_line_errors():
        cfgs = [
            load_config(path, cfg_options=args.cfg_options) for path in args.configs
        ]
        calls, frames = {}, {}
        for cfg in cfgs:
            for key, call in forms(cfg, args, device).items():
                calls[key], frames[key] = call
    times = interleaved_times(calls, args.repeats, device)
    print(f'{describe(device)}, torch {torch.__version__}, {args.repeats} rounds')
    rows = [row(key, times[key], frames[key]) for key in calls]
    headers = ['config', 'form', 'batch', 'ms / batch', 'quartiles', 'frames / s']
    print(tabulate(rows, headers, floatfmt=',.2f', disable_numparse=[4]))


def forms(
    cfg: Config, args: argparse.Namespace, device: torch.device
) -> dict[tuple, tuple[Callable, int]]:
    """Return (config, form, batch) to a call and the frames that it predicts."""
    model = build_model(cfg)
    backbone = model.backbone.to(device).eval()
    window = (backbone.num_frames, model.skeleton.num_joints, 2)
    predicted = backbone.num_frames if backbone.seq2seq else 1
    variants = {'fp32': (backbone, False)}
    if args.bf16:
        variants['bf16'] = (backbone, True)
    if args.compile:
        compiled = torch.compile(backbone)
        variants['compiled'] = (compiled, False)
        if args.bf16:
            variants['bf16 compiled'] = (compiled, True)
    found = {}
    for batch in args.batch:
        x = torch.randn(batch, *window, device=device)
        for form, (network, bf16) in variants.items():
            key = (config_name(cfg), form, batch)
            found[key] = (predict_call(network, x, bf16), batch * predicted)
    return found


def predict_call(network: nn.Module, x: torch.Tensor, bf16: bool) -> Callable:
    """Return the prediction of a batch as a call."""

    def call() -> None:
        autocast = torch.autocast(x.device.type, torch.bfloat16)
        with torch.inference_mode(), autocast if bf16 else nullcontext():
            network(x)

    return call


def row(key: tuple, times: list[float], frames: int) -> list:
    """Summarise the times of one form."""
    low, median, high = statistics.quantiles(times, n=4)
    return [*key, 1e3 * median, f'{1e3 * low:.2f}-{1e3 * high:.2f}', frames / median]


def describe(device: torch.device) -> str:
    """Name the machine."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'{platform.machine()} CPU, {torch.get_num_threads()} threads'


if __name__ == '__main__':
    main()
