#!/usr/bin/env python
"""Lift a video's 2D keypoints: lift.py CONFIG CHECKPOINT KEYPOINTS --out poses.npz."""

import argparse

from sealpose.apis import evaluate, load_config
from sealpose.apis.cli import add_run_arguments, one_line_errors
from sealpose.apis.lift import build_lifter
from sealpose.evaluation.predictions import save_predictions


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Lift the 2D keypoints that a detector found in a video. The 3D '
        'poses of every person are written, and what can be said of them without truth '
        'is printed: symmetry, bone lengths over time, jitter, frames to mistrust.'
    )
    parser.add_argument('config', help='config that the checkpoint was trained with')
    parser.add_argument('checkpoint', help='checkpoint, with or without SEAL')
    parser.add_argument(
        'keypoints',
        help='JSON of COCO or COCO-WholeBody joints (mmpose, AlphaPose, rtmlib), '
        'folder of OpenPose, or npz of VideoPose3D; docs/in_the_wild.md tells more',
    )
    parser.add_argument('--out', required=True, metavar='FILE.npz')
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('WIDTH', 'HEIGHT'),
        help='of the video, pixels; npz files know it',
    )
    parser.add_argument(
        '--min-score',
        type=float,
        default=0.3,
        help='joints with a lower confidence count as not seen (default: 0.3)',
    )
    parser.add_argument(
        '--gaps',
        choices=['interpolate', 'mask'],
        default='interpolate',
        help='what to do with joints that were not seen',
    )
    parser.add_argument(
        '--constant-bones',
        action='store_true',
        help='give every person bones that keep their length, left and right alike',
    )
    parser.add_argument('--report', metavar='FILE.json', help='write the figures here')
    add_run_arguments(parser, example='model.flip_test=False')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        cfg = load_config(args.config, args.work_dir, args.cfg_options)
        runner = build_lifter(
            cfg,
            args.checkpoint,
            args.keypoints,
            tuple(args.image_size) if args.image_size else None,
            args.min_score,
            args.gaps,
            args.constant_bones,
        )
    metric = evaluate(runner)
    save_predictions(args.out, metric.predictions)
    print(f'poses: {args.out}')
    if args.report:
        metric.report.to_json(args.report)
        print(f'figures: {args.report}')


if __name__ == '__main__':
    main()
