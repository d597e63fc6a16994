#!/usr/bin/env python
"""Whether a long training grows: in memory, time, files or log.

    OMP_NUM_THREADS=1 nice python benchmarks/soak.py --minutes 60 [--json FILE]

Trains a small pose-net with SEAL on generated motion, as tools/train.py does, with all
default hooks; every epoch ends with a validation and a checkpoint. The first part of
the time is warm-up; the first quarter of what follows stands against the last one. Ends
with exit code 1 where anything grows by more than LIMITS allow. A few minutes show
that it runs; they are too short to tell growth from what is set up once. Other work on
the machine changes the processor time of a step, so a step counts in reference steps,
a fixed computation that is timed with every sample.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from growth import SPANS, Limit, row
from mmengine.hooks import Hook
from mmengine.runner import Runner
from process_state import Reference, heap_bytes, resident_bytes
from results import headline, write_json
from tabulate import tabulate

from sealpose.apis import build_trainer, load_config

CONFIG = Path(__file__).parents[1] / 'configs' / 'seal' / 'simplebaseline_sample.py'
# Small batches, for many iterations, and more epochs than the time allows.
OPTIONS = {
    'train_dataloader.batch_size': 64,
    'train_dataloader.dataset.stride': 1,
    'train_cfg.max_epochs': 10**6,
    'train_cfg.val_interval': 1,
}
WARM_UP = 0.1


@dataclass
class Sample:
    """The process and its work dir at one moment.

    Args:
        hours: Since the training started.
        iteration: Iterations so far.
        memory: Resident memory, MB, after malloc gave back what it could.
        heap: What malloc has handed out, MB; NaN where the system does not tell.
        blocks: Blocks of memory that Python objects hold, thousands; garbage, which
            waits for its collector between samples, is collected first.
        descriptors: Open files.
        threads: Of the process.
        log: Size of the log folder, kB.
        files: Size of the work dir without it, MB.
        step_processor: Processor time of a step, its batch and its hooks included:
            median since the last sample, ms.
        step_wall: Wall time of it, ms.
        epoch_end: Processor time of the last validation and checkpoint, s.
        reference: Processor time of a reference step at this moment, ms.
    """

    hours: float
    iteration: int
    memory: float
    heap: float
    blocks: float
    descriptors: int
    threads: int
    log: float
    files: float
    step_processor: float
    step_wall: float
    epoch_end: float
    reference: float

    @property
    def step(self) -> float:
        """A step in reference steps: what the machine does beside cancels."""
        return self.step_processor / self.reference

    @property
    def end(self) -> float:
        """The end of an epoch in reference steps."""
        return 1e3 * self.epoch_end / self.reference


LIMITS = {
    'memory': Limit('resident memory, MB', an_hour=10.0),
    'heap': Limit('of it handed out by malloc, MB', an_hour=5.0),
    'blocks': Limit('Python objects, thousand blocks', share=0.02),
    'step': Limit('step, reference steps', share=0.1),
    'step_processor': Limit('processor time of a step, ms'),
    'step_wall': Limit('wall time of a step, ms'),
    'end': Limit('validation and checkpoint, reference steps', share=0.1),
    'descriptors': Limit('open files', share=0.0),
    'threads': Limit('threads', share=0.0),
    'log_rate': Limit('log, kB per 1000 iterations', share=0.1),
    'files': Limit('work dir without log, MB', share=0.1),
}


class SoakHook(Hook):
    """Takes samples and ends the training when the time is over.

    Args:
        seconds: How long to train.
        every: Seconds between samples.
    """

    priority = 'LOWEST'

    def __init__(self, seconds: float, every: float) -> None:
        self.seconds = seconds
        self.every = every
        self.samples: list[Sample] = []
        self._begin = self._last = 0.0
        self._mark = self._epoch_mark = (0.0, 0.0)
        self._steps: list[tuple[float, float]] = []
        self._epoch_end = float('nan')
        self._reference = Reference()

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._begin = self._last = time.monotonic()

    def before_train_epoch(self, runner: Runner) -> None:
        """End the time of validation and checkpoint, begin that of the steps."""
        if runner.epoch:
            self._epoch_end = time.process_time() - self._epoch_mark[0]
        self._mark = _clocks()

    def after_train_epoch(self, runner: Runner) -> None:
        """End the training when the time is over."""
        self._epoch_mark = _clocks()
        if time.monotonic() - self._begin > self.seconds:
            runner.train_loop.stop_training = True

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Time the step; take a sample when it is time."""
        now = _clocks()
        self._steps.append((now[0] - self._mark[0], now[1] - self._mark[1]))
        if now[1] - self._last >= self.every:
            self._sample(runner)
            self._last = now[1]
            self._steps = []
        self._mark = _clocks()

    def _sample(self, runner: Runner) -> None:
        gc.collect()
        log = _folder_size(Path(runner.log_dir))
        columns = zip(*self._steps, strict=True)
        processor, wall = (1e3 * statistics.median(column) for column in columns)
        self.samples.append(
            Sample(
                hours=(time.monotonic() - self._begin) / 3600,
                iteration=runner.iter + 1,
                memory=resident_bytes() / 1e6,
                heap=heap_bytes() / 1e6,
                blocks=sys.getallocatedblocks() / 1e3,
                descriptors=len(list(Path('/proc/self/fd').iterdir())),
                threads=len(list(Path('/proc/self/task').iterdir())),
                log=log / 1e3,
                files=(_folder_size(Path(runner.work_dir)) - log) / 1e6,
                step_processor=processor,
                step_wall=wall,
                epoch_end=self._epoch_end,
                reference=self._reference.time(),
            )
        )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Train for a long time and look for growth of any kind.'
    )
    parser.add_argument('--config', default=str(CONFIG), help='what is trained')
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--every', type=float, default=5, help='seconds to a sample')
    parser.add_argument('--work-dir', default='work_dirs/soak')
    parser.add_argument('--json', metavar='FILE', help='write figures and samples here')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.work_dir, OPTIONS)
    runner = build_trainer(cfg)
    hook = SoakHook(60 * args.minutes, args.every)
    runner.register_hook(hook, priority=hook.priority)
    runner.train()
    rows = summarize(hook.samples)
    last = hook.samples[-1]
    print(f'{headline(torch.device("cpu"))}; {args.minutes:g} minutes')
    print(f'{last.iteration} iterations, {runner.epoch} epochs, log {last.log:.0f} kB')
    print(tabulate(rows, headers='keys', floatfmt='.3f'))
    if args.json:
        write_json(
            args.json,
            rows,
            torch.device('cpu'),
            config=Path(args.config).name,
            minutes=args.minutes,
            iterations=last.iteration,
            epochs=runner.epoch,
            samples=[asdict(sample) for sample in hook.samples],
        )
    grown = [row['quantity'] for row in rows if row['verdict'] == 'grows']
    if grown:
        sys.exit(f'soak: this grows beyond its limit: {"; ".join(grown)}')


def summarize(samples: Sequence[Sample]) -> list[dict]:
    """Return a row for each quantity: two quarters, the slope, the verdict.

    Args:
        samples: All of a run, the warm-up included.

    Raises:
        ValueError: they are too few.
    """
    kept = [s for s in samples if s.hours > WARM_UP * samples[-1].hours]
    if len(kept) < 2 * SPANS:
        raise ValueError(
            f'{len(kept)} samples after the warm-up are too few, {2 * SPANS} are '
            'needed: train for more --minutes, or take a sample --every few seconds'
        )
    hours = np.array([s.hours for s in kept])
    rows = []
    for key, limit in LIMITS.items():
        if key == 'log_rate':
            values = log_rates(kept)
        else:
            values = [getattr(sample, key) for sample in kept]
        rows.append(row(limit, hours, np.array(values, dtype=float)))
    return rows


def log_rates(samples: Sequence[Sample]) -> list[float]:
    """Return what the log grew by up to each sample, kB per 1000 iterations."""
    rates = [
        1e3 * (b.log - a.log) / (b.iteration - a.iteration)
        for a, b in pairwise(samples)
    ]
    return [rates[0], *rates]


def _clocks() -> tuple[float, float]:
    return time.process_time(), time.monotonic()


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


if __name__ == '__main__':
    main()
