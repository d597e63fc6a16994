#!/usr/bin/env python
"""Import a published checkpoint: import_weights.py VideoPose3D FILE.bin OUT.pth."""

import argparse

from mmengine.config import DictAction

from sealpose.apis.cli import one_line_errors
from sealpose.engine.official_weights import ImportedWeights, import_official


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Turn a checkpoint that the authors of a backbone published into '
        'one that the configs of the backbone load.'
    )
    parser.add_argument('backbone', help='registered name, e.g. MixSTE')
    parser.add_argument('file', help='the published checkpoint')
    parser.add_argument('out', help='checkpoint to write, e.g. mixste.pth')
    parser.add_argument(
        '--settings',
        nargs='+',
        action=DictAction,
        metavar='NAME=VALUE',
        help='arguments of the backbone that the weights do not tell, e.g. '
        'num_frames=81 of PoseFormerV2 or skeleton=mpi_inf_3dhp17',
    )
    parser.add_argument(
        '--output-scale',
        type=float,
        default=1.0,
        metavar='FACTOR',
        help='multiply the prediction: 0.001 for weights that predict millimetres',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        imported = import_official(
            args.backbone, args.file, args.settings, args.output_scale
        )
        imported.save(args.out)
    print(summary(imported))
    print(f'written: {args.out}')


def summary(imported: ImportedWeights) -> str:
    """List every tensor under both names, and how to load the checkpoint."""
    width = max(len(name) for name in imported.names)
    lines = [f'{theirs:{width}}  ->  {ours}' for theirs, ours in imported.names.items()]
    lines += [f'{name:{width}}  computed' for name in imported.left_out]
    settings = ', '.join(f'{k}={v!r}' for k, v in imported.backbone.items())
    return '\n'.join([*lines, f'backbone = dict({settings})'])


if __name__ == '__main__':
    main()
