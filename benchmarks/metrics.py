#!/usr/bin/env python
"""Time and memory of the evaluation, beside the published forms of the metrics.

    OMP_NUM_THREADS=1 python benchmarks/metrics.py [--device cuda] [--json FILE]

Random poses in sequences of 2,300 frames, as long as those of Human3.6M. Ours is all
that makes a report. The published forms (benchmarks/published_metrics.py) run on the
CPU; those that loop over frames see 2,000 of them, and their time is scaled up. On a
busy machine, the time of the processor tells more than that of the clock.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from published_metrics import ALL_AT_ONCE, FRAME_BY_FRAME, PublishedMetric
from results import headline, write_json
from tabulate import tabulate
from torch import Tensor

from sealpose.apis.timing import interleaved_times, median_ratio
from sealpose.evaluation import EvaluationReport, evaluate_poses
from sealpose.evaluation.metrics.pose_metric import ALL_METRICS
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import H36M17

# All of a report, and what other data sets report.
METRICS = (*ALL_METRICS, 'MPSSE', 'PCK-all', 'AUC-all')
TOGETHER = 'all of them'
ACTIONS = 15
SEQUENCE_FRAMES = 2_300
LOOP_FRAMES = 2_000


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Measure the evaluation: time of each metric and of all together, '
        'peak memory, and the published forms of the metrics.'
    )
    parser.add_argument('--frames', type=int, default=550_000)
    parser.add_argument('--repeats', type=int, default=3, help='timings of each')
    parser.add_argument('--device', type=torch.device, default='cpu')
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    print(f'{headline(args.device)}; {args.frames} frames, median of {args.repeats}')
    pred, gt = (pose.to(args.device) for pose in random_poses(args.frames))
    peak = peak_memory(pred, gt)
    begin = time.process_time()
    evaluate(METRICS, pred, gt)
    processor = time.process_time() - begin
    rows = [row(metric, pred, gt, args.repeats) for metric in (*METRICS, TOGETHER)]
    print(tabulate(rows, headers='keys', floatfmt=('', '.0f', '.0f', '.1f', '.0e')))
    print(f'{TOGETHER}: {processor:.2f} s of processor time')
    print(f'{TOGETHER}: at most {peak:.2f} x the memory of the poses beside them')
    if args.json:
        rows[-1] |= {'processor s': processor, 'peak memory': peak}
        settings = dict(frames=args.frames, repeats=args.repeats)
        write_json(args.json, rows, args.device, **settings)


def random_poses(frames: int) -> tuple[Tensor, Tensor]:
    """Return prediction and truth, (N, 17, 3) metres, the root at the origin."""
    generator = torch.Generator().manual_seed(0)
    gt = 0.4 * torch.randn(frames, 17, 3, generator=generator)
    pred = gt + 0.05 * torch.randn(frames, 17, 3, generator=generator)
    return pred - pred[:, :1], gt - gt[:, :1]


def evaluate(names: tuple[str, ...], pred: Tensor, gt: Tensor) -> EvaluationReport:
    """Make a report of some metrics."""
    lengths = [len(part) for part in pred.split(SEQUENCE_FRAMES)]
    sequences = [
        {'action': f'action {i % ACTIONS}', 'frames': length}
        for i, length in enumerate(lengths)
    ]
    metrics = {name: FRAME_METRICS.get(name) for name in names}
    return evaluate_poses(pred, gt, sequences, H36M17, metrics, dataset='random')


def row(metric: str, pred: Tensor, gt: Tensor, repeats: int) -> dict:
    """Time one metric, and its published form if there is one."""
    names = METRICS if metric == TOGETHER else (metric,)
    calls = {'ours': lambda: evaluate(names, pred, gt)}
    published = {**ALL_AT_ONCE, **FRAME_BY_FRAME}.get(metric)
    scale = 1.0
    if published:
        count = len(pred) if metric in ALL_AT_ONCE else min(LOOP_FRAMES, len(pred))
        scale = len(pred) / count
        p, y = pred[:count].cpu().numpy(), gt[:count].cpu().numpy()
        calls['published'] = lambda: published(p, y, H36M17)
    times = interleaved_times(calls, repeats, pred.device, warmup=1)
    found = {'metric': metric, 'ours ms': 1e3 * statistics.median(times['ours'])}
    if published:
        theirs = [scale * seconds for seconds in times['published']]
        found['published ms'] = 1e3 * statistics.median(theirs)
        found['faster by'] = median_ratio(theirs, times['ours'])
        found['difference'] = difference(metric, published, pred, gt)
    return found


def difference(
    metric: str, published: PublishedMetric, pred: Tensor, gt: Tensor
) -> float:
    """Return the largest difference of a frame, in the unit of the metric."""
    pred, gt = pred[:LOOP_FRAMES], gt[:LOOP_FRAMES]
    ours = FRAME_METRICS.get(metric)(pred, gt, H36M17).cpu().numpy()
    theirs = published(pred.cpu().numpy(), gt.cpu().numpy(), H36M17)
    return float(abs(ours - theirs).max())


def peak_memory(pred: Tensor, gt: Tensor) -> float:
    """Return what all metrics take at most beside the poses, relative to these."""
    # What libraries take when they are used first does not count.
    evaluate(METRICS, pred[:16], gt[:16])
    if pred.device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(pred.device)
        before = torch.cuda.memory_allocated(pred.device)
        evaluate(METRICS, pred, gt)
        taken = torch.cuda.max_memory_allocated(pred.device) - before
    else:
        # Linux sets the high-water mark back to what the process holds now.
        Path('/proc/self/clear_refs').write_text('5')
        before = high_water()
        evaluate(METRICS, pred, gt)
        taken = high_water() - before
    return taken / (pred.nbytes + gt.nbytes)


def high_water() -> int:
    """Return the largest memory of this process so far, bytes."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return 1024 * int(line.split()[1])
    raise RuntimeError('the system does not tell the peak memory of a process')


if __name__ == '__main__':
    main()
