#!/usr/bin/env python
"""Time and memory of data sets of official size: loading, the cache, batches.

    python benchmarks/data.py [--quick] [--json FILE]

Human3.6M is written in its official form, with random motion, into a temporary folder;
what is measured runs in processes of its own, on one core. Peak memory is what the
process grew by at most, over the size of the arrays that it loaded. The files lie in
the page cache of the system: a cold disk adds the time to read them.
benchmarks/loaders.py has the loaders.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from results import headline, write_json
from tabulate import tabulate

from sealpose.datasets.h36m_protocol import ACTIONS
from sealpose.datasets.human36m import Human36M
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.skeletons import Skeleton

# Frames per camera of the training and the test subjects of Human3.6M, 50 Hz.
H36M_FRAMES = {'S1': 62_095, 'S5': 96_765, 'S6': 62_175, 'S7': 85_445, 'S8': 83_490}
H36M_FRAMES |= {'S9': 83_400, 'S11': 52_440}
CLIPS = [f'{action}{number}' for action in ACTIONS for number in ('', ' 1')]
CAMERAS = 4
BATCH = 1024
WINDOWS = {
    '1 frame': (1, 1),
    '27 frames, predicts one': (27, 1),
    '243 frames, predicts one': (243, 1),
    '243 frames, predicts all': (243, 243),
}
# Sequences, frames of each, joints: of the size of the other data sets.
SIZES = {'MPI-INF-3DHP': (8 * 2 * 8, 8_000, 17), 'H3WB': (5 * 4, 4_000, 133)}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Measure how long data sets of official size take to load, how '
        'much memory, and how long a batch of 1024 windows takes.'
    )
    parser.add_argument('--quick', action='store_true', help='a hundredth of the size')
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    parser.add_argument('--measure', nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.measure:
        what, root = args.measure
        print(json.dumps(MEASURES[what](Path(root))))
        return
    scale = 0.01 if args.quick else 1.0
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows += h36m_rows(Path(folder), scale)
        for name in SIZES:
            rows += size_rows(Path(folder), name, scale)
    device = torch.device('cpu')
    print(f'{headline(device)}; {scale:g} of the official size')
    columns = ('what', 'value', 'unit', 'at most')
    print(tabulate([[row.get(c) for c in columns] for row in rows], columns))
    if args.json:
        write_json(args.json, rows, device, scale=scale)


def h36m_rows(folder: Path, scale: float) -> list[dict]:
    """Measure Human3.6M, its official files compressed and not."""
    rows = []
    for form, save in (('', np.savez_compressed), (', uncompressed', np.savez)):
        root = folder / f'h36m{form}'
        write_h36m(root, scale, save)
        name = f'Human3.6M{form}'
        plain, first, second = (
            measure(what, root) for what in ('uncached', 'cached', 'cached')
        )
        rows += [
            row(f'{name}: load', plain['seconds'], 's', 15),
            row(f'{name}: peak memory', plain['peak'], 'x arrays', 2),
            row(f'{name}: first start, writes the cache', first['seconds'], 's', 15),
            row(f'{name}: its peak memory', first['peak'], 'x arrays', 2),
            row(f'{name}: second start', second['seconds'], 's', 2),
            row(f'{name}: its peak memory', second['peak'], 'x arrays', 2),
        ]
    limits = {'27 frames, predicts one': 6, '243 frames, predicts one': 40}
    for window, milliseconds in measure('batches', root).items():
        at_most = limits.get(window, 40 if '243' in window else None)
        rows.append(row(f'batch of {BATCH}, {window}', milliseconds, 'ms', at_most))
    small = measure('limited', root)
    rows += [
        row('limit on memory beside the libraries', small['limit'], 'x arrays'),
        row('an epoch under it, frames seen', small['frames'] / 1e6, 'million'),
        row('its time', small['seconds'], 's'),
    ]
    return rows


def size_rows(folder: Path, name: str, scale: float) -> list[dict]:
    """Measure a store of the size of another data set, made of random poses."""
    root = folder / name
    root.mkdir()
    (root / 'settings.json').write_text(json.dumps([*SIZES[name], scale]))
    first, second = measure('random', root), measure('random', root)
    window = '1 frame' if name == 'H3WB' else '27 frames, predicts one'
    return [
        row(f'{name} size: first start', first['seconds'], 's', 15),
        row(f'{name} size: second start', second['seconds'], 's', 2),
        row(f'{name} size: batch of {BATCH}, {window}', second[window], 'ms', 6),
    ]


def row(what: str, value: float, unit: str, at_most: float | None = None) -> dict:
    """Describe one figure."""
    return {'what': what, 'value': round(value, 3), 'unit': unit, 'at most': at_most}


def measure(what: str, root: Path) -> dict:
    """Run one of MEASURES in a process of its own."""
    command = [sys.executable, __file__, '--measure', what, str(root)]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {'OMP_NUM_THREADS': '1'},
    )
    return json.loads(done.stdout.splitlines()[-1])


def write_h36m(root: Path, scale: float, save: object) -> None:
    """Write both files: 32 joints in metres, 17 in the pixels of four cameras."""
    random = np.random.default_rng(0)
    world, pixels = {}, {}
    for subject, frames in H36M_FRAMES.items():
        world[subject], pixels[subject] = {}, {}
        length = max(int(frames * scale / len(CLIPS)), 10)
        for clip in CLIPS:
            world[subject][clip] = random.normal(0, 0.5, (length, 32, 3)).astype('f4')
            pixels[subject][clip] = [
                random.uniform(300, 700, (length, 17, 2)).astype('f4')
                for _ in range(CAMERAS)
            ]
    root.mkdir()
    metadata = dict(layout_name='h36m', num_joints=17)
    save(root / 'data_3d_h36m.npz', positions_3d=np.array(world, object))
    save(
        root / 'data_2d_h36m_gt.npz',
        positions_2d=np.array(pixels, object),
        metadata=np.array(metadata, object),
    )


def peak_memory() -> int:
    """Return the largest memory of this process so far, bytes."""
    # Not ru_maxrss: a child starts with what its parent had.
    return memory_figure('VmHWM')


def memory_figure(name: str) -> int:
    """Return a figure of /proc/self/status, bytes."""
    status = Path('/proc/self/status').read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f'{name}:'))
    return 1024 * int(line.split()[1])


def size_of(data: WindowDataset) -> int:
    """Return the bytes of the arrays."""
    return data.store.keypoints_2d.nbytes + data.store.keypoints_3d.nbytes


def measure_load(root: Path, cache: bool) -> dict:
    """Load the training split."""
    before = peak_memory()
    begin = time.perf_counter()
    data = Human36M(str(root), split='train', keypoints='gt', cache=cache)
    seconds = time.perf_counter() - begin
    return dict(seconds=seconds, peak=(peak_memory() - before) / size_of(data))


def measure_batches(root: Path) -> dict:
    """Time batches of random windows, one figure per kind of window."""
    found = {}
    for name, (seen, predicted) in WINDOWS.items():
        data = Human36M(
            str(root),
            split='train',
            keypoints='gt',
            input_frames=seen,
            output_frames=predicted,
        )
        found[name] = batch_time(data)
    return found


def batch_time(data: WindowDataset, repeats: int = 31) -> float:
    """Return the median time of a batch of random windows, milliseconds."""
    times = []
    for _ in range(repeats):
        indices = torch.randint(len(data), (BATCH,))
        begin = time.perf_counter()
        data.__getitems__(indices)
        times.append(time.perf_counter() - begin)
    return 1e3 * float(np.median(times[1:]))


def measure_limited(root: Path) -> dict:
    """Train for an epoch with less memory than the data take."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(27 * 34, 51))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    begin = time.perf_counter()
    data = Human36M(str(root), split='train', keypoints='gt', input_frames=27)
    # Of memory that is not a map of a file: what is there now, the epoch's order and
    # a few batches.
    allowed = 16 * len(data) + 30_000_000
    limit = memory_figure('VmData') + allowed
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    for indices in torch.randperm(len(data)).split(BATCH):
        batch = data.__getitems__(indices)
        pred = network(batch['keypoints_2d']).view(-1, 1, 17, 3)
        loss = (pred - batch['keypoints_3d']).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return dict(
        limit=allowed / size_of(data),
        frames=len(data),
        seconds=time.perf_counter() - begin,
    )


class RandomPoses(WindowDataset):
    """Random poses, as many as a file says."""

    def __init__(self, root: Path, **window: int) -> None:
        self.path = root / 'settings.json'
        *self.size, joints, self.scale = json.loads(self.path.read_text())
        chain = {f'j{i}': f'j{i - 1}' if i else None for i in range(joints)}
        super().__init__(Skeleton(f'chain{joints}', chain), **window)

    def source_files(self) -> list[Path]:
        """Return the file of the sizes."""
        return [self.path]

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Generate the sequences."""
        count, frames = self.size
        frames = max(int(frames * self.scale), 10)
        joints = self.skeleton.num_joints
        for number in range(count):
            generator = torch.Generator().manual_seed(number)
            yield PoseSequence(
                torch.randn(frames, joints, 2, generator=generator),
                torch.randn(frames, joints, 3, generator=generator),
                subject='S1',
                action='random',
                clip=str(number),
                camera='none',
            )


def measure_random(root: Path) -> dict:
    """Load random poses, take batches of them."""
    begin = time.perf_counter()
    RandomPoses(root)
    found = {'seconds': time.perf_counter() - begin}
    for name in ('1 frame', '27 frames, predicts one'):
        found[name] = batch_time(RandomPoses(root, input_frames=WINDOWS[name][0]))
    return found


MEASURES = {
    'uncached': lambda root: measure_load(root, cache=False),
    'cached': lambda root: measure_load(root, cache=True),
    'batches': measure_batches,
    'limited': measure_limited,
    'random': measure_random,
}


if __name__ == '__main__':
    main()
