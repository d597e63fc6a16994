#!/usr/bin/env python
"""How long training waits for its batches, by the way in which they are fetched.

    python benchmarks/loaders.py [--clips N] [--json FILE]

On generated motion, batches of 1024 windows. The rest of a step happens elsewhere, as
on a GPU: here it is a pause of 20 ms. Random poses in shards, each batch from all over
them, come without a pause, files in the page cache.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from results import headline, write_json
from tabulate import tabulate

from sealpose.datasets import PoseSequence, WindowDataset
from sealpose.datasets.shard_files import write_shards
from sealpose.datasets.sharded_poses import ShardedPoses
from sealpose.engine.hooks.prefetch import BackgroundLoader
from sealpose.skeletons import H36M17

BATCH = 1024
STEP = 0.02
CLIP_FRAMES = 1000
WINDOWS = {'1 frame': 1, '27 frames': 27, '243 frames': 243}
WAYS = {
    'this process': {},
    'in a thread': {},
    'two workers': dict(num_workers=2, persistent_workers=True),
    'device store': {},
}
SHARDS = {
    'all open, over all shards': (None, 1000),
    '8 open, over all shards': (None, 8),
    '8 open, over 4 at a time': (4, 8),
}


class RandomPoses(WindowDataset):
    """Clips of random poses."""

    def __init__(self, clips: int, **window: int) -> None:
        self.clips = clips
        super().__init__('h36m17', **window)

    def load_sequences(self):
        """Generate the clips."""
        generator = torch.Generator().manual_seed(0)
        for clip in range(self.clips):
            yield PoseSequence(
                torch.randn(CLIP_FRAMES, 17, 2, generator=generator),
                torch.randn(CLIP_FRAMES, 17, 3, generator=generator),
                subject='S1',
                action='random',
                clip=str(clip),
                camera='none',
            )


def main() -> None:
    parser = argparse.ArgumentParser(description='Measure the waiting for batches.')
    parser.add_argument('--clips', type=int, default=400, help='of 1000 frames')
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    args = parser.parse_args()
    torch.set_num_threads(1)
    init_default_scope('sealpose')
    found = {**measure_waiting(args.clips), **measure_shards(args.clips)}
    rows = [{'batch of 1024': name, 'ms': ms} for name, ms in found.items()]
    device = torch.device('cpu')
    print(f'{headline(device)}; {args.clips * CLIP_FRAMES} frames')
    print(tabulate(rows, headers='keys', floatfmt='.2f'))
    if args.json:
        write_json(args.json, rows, device, clips=args.clips)


def measure_waiting(clips: int) -> dict[str, float]:
    """Time how long a batch is waited for."""
    found = {}
    for name, frames in WINDOWS.items():
        for way, options in WAYS.items():
            data = RandomPoses(
                clips, input_frames=frames, device_store=way == 'device store'
            )
            loader = build_loader(data, dict(type='DefaultSampler'), **options)
            if way == 'in a thread':
                loader = BackgroundLoader(loader, depth=2)
            found[f'{name}, {way}'] = waiting_time(loader)
    return found


def measure_shards(clips: int) -> dict[str, float]:
    """Time batches of 27 frames from shards of 20,000."""
    data = RandomPoses(clips, input_frames=27)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / 'train'
        write_shards(data.store.split(), place, H36M17, 20_000, dict(dataset=''))
        for name, (at_once, opened) in SHARDS.items():
            shards = ShardedPoses(folder, open_shards=opened, input_frames=27)
            sampler = dict(type='sealpose.ShardSampler', shards_at_once=at_once)
            loader = build_loader(shards, sampler)
            found[f'27 frames in shards, {name}'] = waiting_time(loader, step=0.0)
    return found


def build_loader(data: WindowDataset, sampler: dict, **options: object) -> object:
    """Build a loader as mmengine's Runner does."""
    return Runner.build_dataloader(
        dict(
            dataset=data,
            batch_size=BATCH,
            sampler=sampler,
            collate_fn=dict(type='sealpose.take_batch'),
            **{'num_workers': 0, **options},
        ),
        seed=0,
    )


def waiting_time(loader: object, step: float = STEP, repeats: int = 31) -> float:
    """Return the median time until the next batch is there, milliseconds."""
    times = []
    batches = iter(loader)
    for _ in range(min(repeats, len(loader))):
        begin = time.perf_counter()
        next(batches)
        times.append(time.perf_counter() - begin)
        time.sleep(step)
    return 1e3 * float(np.median(times[1:]))


if __name__ == '__main__':
    main()
