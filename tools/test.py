#!/usr/bin/env python
"""Test a checkpoint: tools/test.py CONFIG CHECKPOINT --out result.json."""

import argparse

from sealpose.apis import build_tester, evaluate, load_config
from sealpose.apis.cli import add_run_arguments, one_line_errors
from sealpose.evaluation.predictions import save_predictions


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a checkpoint.')
    parser.add_argument('config', help='config that the checkpoint was trained with')
    parser.add_argument('checkpoint', help='checkpoint, with or without SEAL')
    parser.add_argument('--out', metavar='FILE.json', help='write the figures here')
    parser.add_argument(
        '--save-predictions',
        metavar='FILE.npz',
        help='write every predicted pose here, for tools/analysis_tools/draw_poses.py',
    )
    add_run_arguments(parser, example='model.flip_test=False')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        cfg = load_config(args.config, args.work_dir, args.cfg_options)
        cfg.launcher = args.launcher
        runner = build_tester(cfg, args.checkpoint)
    metric = evaluate(runner)
    if runner.rank > 0:
        return
    if args.out:
        metric.report.to_json(args.out)
        print(f'figures: {args.out}')
    if args.save_predictions:
        save_predictions(args.save_predictions, metric.predictions)
        print(f'predictions: {args.save_predictions}')


if __name__ == '__main__':
    main()
