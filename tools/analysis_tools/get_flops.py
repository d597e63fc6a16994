#!/usr/bin/env python
"""Parameters and FLOPs of pose-nets: get_flops.py configs/baseline/*_h36m.py."""

import argparse

from mmengine.config import DictAction
from tabulate import tabulate

from sealpose.apis.cli import one_line_errors
from sealpose.apis.complexity import measure_complexity
from sealpose.apis.config import config_name, load_config
from sealpose.apis.preflight import build_model


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Print parameters and FLOPs of pose-nets. A multiply-add counts as '
        'two FLOPs; the loss-net of SEAL never runs at test time and is not counted.'
    )
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
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
    with one_line_errors():
        rows = [cost(path, args.cfg_options) for path in args.configs]
    headers = ['config', 'frames', 'parameters', 'MFLOPs / window', 'MFLOPs / frame']
    print(tabulate(rows, headers, floatfmt=',.1f', intfmt=','))


def cost(path: str, options: dict | None) -> list:
    """Measure one config; a row of the table."""
    cfg = load_config(path, cfg_options=options)
    model = build_model(cfg)
    found = measure_complexity(model.backbone, model.skeleton.num_joints)
    return [
        config_name(cfg),
        model.backbone.num_frames,
        found.parameters,
        found.flops / 1e6,
        found.flops_per_frame / 1e6,
    ]


if __name__ == '__main__':
    main()
