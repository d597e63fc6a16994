#!/usr/bin/env python
"""Train a pose-net: tools/train.py configs/seal/videopose_sample.py."""

import argparse

from sealpose.apis import build_trainer, load_config
from sealpose.apis.cli import add_run_arguments, one_line_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Train a pose-net from a config.',
        epilog='Exit codes: 0 done; 1 an error; 75 stopped by SIGTERM or SIGUSR1 with '
        'everything saved, to be continued with --resume.',
    )
    parser.add_argument('config', help='config file, e.g. configs/seal/...py')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from the newest checkpoint of the work dir that can be read, or '
        'from the given one; start if there is none',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16)')
    parser.add_argument('--seed', type=int, help='seed of everything random')
    add_run_arguments(parser, example='train_cfg.max_epochs=5')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        cfg = load_config(args.config, args.work_dir, args.cfg_options)
        cfg.launcher = args.launcher
        if args.seed is not None:
            cfg.randomness.seed = args.seed
        if args.resume:
            cfg.resume = True
            cfg.load_from = None if args.resume == 'auto' else args.resume
        if args.amp:
            cfg.optim_wrapper.type = 'Bf16OptimWrapper'
        runner = build_trainer(cfg)
    runner.train()


if __name__ == '__main__':
    main()
