#!/usr/bin/env python
"""Write data sets into shards: shard.py CONFIG... --split train --out data/shards."""

import argparse
from pathlib import Path

import numpy as np
from mmengine.registry import init_default_scope

from sealpose.apis import load_config
from sealpose.apis.cli import one_line_errors
from sealpose.datasets import PoseSequence, WindowDataset
from sealpose.datasets.shard_files import write_shards
from sealpose.registry import DATASETS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Write the data sets of some configs into one folder of shards, '
        'which ShardedPoses reads: for data that exceed the memory, or as one mixture '
        'of several data sets of the same skeleton. docs/scaling.md tells more.'
    )
    parser.add_argument('configs', nargs='+', metavar='CONFIG')
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train')
    parser.add_argument(
        '--out', required=True, metavar='FOLDER', help='the shards go to FOLDER/SPLIT'
    )
    parser.add_argument(
        '--shard-frames',
        type=int,
        default=2**18,
        help='frames of a shard, at least (default: %(default)s; 89 MB of 17 joints)',
    )
    parser.add_argument(
        '--shuffle',
        type=int,
        metavar='SEED',
        help='deal the sequences out at random, so that every shard has a bit of all',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    init_default_scope('sealpose')
    with one_line_errors():
        if args.shard_frames < 1:
            raise ValueError(f'--shard-frames is {args.shard_frames}, not positive')
        datasets = [build_dataset(path, args.split) for path in args.configs]
        index = write_shards(
            sequences_of(datasets, args.shuffle),
            Path(args.out) / args.split,
            datasets[0].skeleton,
            args.shard_frames,
            common_meta(datasets, args.split),
        )
    frames = sum(shard.frames for shard in index.shards)
    print(f'{args.out}/{args.split}: {frames} frames in {len(index.shards)} shards')


def build_dataset(config: str, split: str) -> WindowDataset:
    dataset = load_config(config).get(f'{split}_dataloader', {}).get('dataset')
    if dataset is None:
        raise ValueError(f'{config} has no {split}_dataloader.dataset')
    return DATASETS.build(dataset)


def sequences_of(datasets: list[WindowDataset], seed: int | None) -> list[PoseSequence]:
    # Views of arrays that are mapped from the cache: no memory.
    sequences = [s for dataset in datasets for s in dataset.store.split()]
    if seed is None:
        return sequences
    order = np.random.default_rng(seed).permutation(len(sequences))
    return [sequences[number] for number in order]


def common_meta(datasets: list[WindowDataset], split: str) -> dict:
    """Return what the data sets say of their evaluation; it must be the same."""
    metas = [dict(dataset.metainfo) for dataset in datasets]
    names = [meta.pop('dataset') for meta in metas]
    skeletons = [meta.pop('skeleton') for meta in metas]
    if len(set(skeletons)) > 1:
        raise ValueError(
            f'{" and ".join(names)} have the skeletons {" and ".join(skeletons)}; wrap '
            'them: dict(type="MappedDataset", dataset=..., skeleton=...)'
        )
    for meta in metas:
        del meta['sequences']
    if split == 'train':
        metas = [{}]
    elif any(meta != metas[0] for meta in metas):
        raise ValueError(
            f'{" and ".join(names)} are evaluated differently ({metas}); write them '
            'into folders of their own'
        )
    return dict(dataset=' + '.join(dict.fromkeys(names)), **metas[0])


if __name__ == '__main__':
    main()
