#!/usr/bin/env python
"""Export the pose-net alone: export_pose_net.py epoch_60.pth pose_net.pth."""

import argparse

from sealpose.apis import load_config
from sealpose.apis.cli import one_line_errors
from sealpose.engine.description import describe_skeleton
from sealpose.engine.pose_net_export import Export, export_pose_net
from sealpose.skeletons import get_skeleton

MEGABYTE = 1e6


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Strip a checkpoint of everything but the pose-net: its weights, '
        'the config of its backbone and its skeleton.'
    )
    parser.add_argument('checkpoint', help='checkpoint of a training')
    parser.add_argument('out', help='file to write, e.g. pose_net.pth')
    parser.add_argument(
        '--config',
        help='config of the training, for checkpoints of earlier versions, which do '
        'not tell backbone and skeleton',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        told = {}
        if args.config:
            model = load_config(args.config).model.to_dict()
            skeleton = describe_skeleton(get_skeleton(model['skeleton']))
            told = dict(backbone=model['backbone'], skeleton=skeleton)
        export = export_pose_net(args.checkpoint, args.out, **told)
    print(summary(export))
    print(f'written: {args.out}')


def summary(export: Export) -> str:
    """Say what was kept, what was left out, and the sizes."""
    settings = ', '.join(f'{k}={v!r}' for k, v in export.backbone.items())
    return '\n'.join(
        [
            f'backbone = dict({settings})',
            f'skeleton: {export.skeleton}',
            f'weights: {export.parameters:,} numbers',
            f'left out: {", ".join(export.stripped) or "nothing"}',
            f'size: {export.bytes_before / MEGABYTE:.2f} MB -> '
            f'{export.bytes_after / MEGABYTE:.2f} MB',
        ]
    )


if __name__ == '__main__':
    main()
