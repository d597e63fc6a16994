"""From predicted poses to the figures of a table."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import nan
from statistics import fmean

import torch
from torch import Tensor

from sealpose.evaluation.functional import FrameMetric
from sealpose.evaluation.report import EvaluationReport
from sealpose.skeletons import Skeleton

PROTOCOL = 'root-relative, camera axes, prediction taken as it is'
# Frames that are measured at a time: what a CPU has near, and enough for a GPU.
BLOCK = defaultdict(lambda: 65_536, cpu=2048)


def evaluate_poses(
    pred: Tensor,
    gt: Tensor,
    sequences: Sequence[dict],
    skeleton: Skeleton,
    metrics: Mapping[str, FrameMetric],
    *,
    dataset: str,
    name: str = '',
    remarks: str = '',
    headline: str = 'action_mean',
) -> EvaluationReport:
    """Evaluate sequences that lie end to end, and average per action and over all.

    What is needed beside the poses is a block of frames, or the longest sequence for
    metrics that look at several frames, and a value per frame.

    Args:
        pred: (N, J, 3), metres, root-relative, camera axes; measured where it lies.
        gt: (N, J, 3), the truth, on the same device.
        sequences: In the order of the frames; dicts with ``action`` and ``frames``.
        skeleton: The skeleton of the poses.
        metrics: Name to function, as :func:`frame_metric` registers it.
        dataset: Name of the data set.
        name: Name of the model.
        remarks: What the data set has to say of its protocol.
        headline: ``action_mean`` or ``frame_mean``: which one its protocol reports.
    """
    frames_per_action: dict[str, int] = defaultdict(int)
    for sequence in sequences:
        frames_per_action[sequence['action']] += sequence['frames']
    figures = {}
    for metric, function in metrics.items():
        values = _values(function, pred, gt, sequences, skeleton)
        figures[metric] = _figures(values, sequences, function.average)
    return EvaluationReport(
        name=name,
        dataset=dataset,
        protocol='; '.join(filter(None, [PROTOCOL, remarks])),
        skeleton=skeleton.name,
        frames=len(pred),
        units={metric: function.unit for metric, function in metrics.items()},
        per_action={
            action: {metric: table[action] for metric, (table, _, _) in figures.items()}
            for action in frames_per_action
        },
        frames_per_action=dict(frames_per_action),
        action_mean={metric: mean for metric, (_, mean, _) in figures.items()},
        frame_mean={metric: mean for metric, (_, _, mean) in figures.items()},
        higher_is_better=[
            metric for metric, function in metrics.items() if function.higher_is_better
        ],
        headline=headline,
    )


def _values(
    function: FrameMetric,
    pred: Tensor,
    gt: Tensor,
    sequences: Sequence[dict],
    skeleton: Skeleton,
) -> list[Tensor]:
    """Return the values of each sequence, (T,) float64 on the CPU."""
    frames = [sequence['frames'] for sequence in sequences]
    sizes = BLOCK[pred.device.type] if function.framewise else frames
    # In one piece from the start: small results, kept one by one, would hold on to the
    # memory between them.
    values = torch.empty(len(pred), dtype=torch.float64, device=pred.device)
    counts = []
    for p, y in zip(pred.split(sizes), gt.split(sizes), strict=True):
        found = function(p, y, skeleton)
        begin = sum(counts)
        values[begin : begin + len(found)] = found
        counts.append(len(found))
    counts = frames if function.framewise else counts
    return list(values[: sum(counts)].cpu().split(counts))


def _figures(
    values: list[Tensor],
    sequences: Sequence[dict],
    average: Callable[[Tensor], Tensor],
) -> tuple[dict[str, float], float, float]:
    """Return the figure of each action, their mean, and the figure of all frames."""
    pooled = defaultdict(list)
    for sequence, part in zip(sequences, values, strict=True):
        pooled[sequence['action']].append(part)
    per_action = {action: torch.cat(parts) for action, parts in pooled.items()}
    found = {action: average(part).item() for action, part in per_action.items()}
    # An action of single frames alone has no velocity; it must not spoil the mean.
    known = [found[action] for action, part in per_action.items() if len(part)]
    action_mean = fmean(known) if known else nan
    return found, action_mean, average(torch.cat(list(per_action.values()))).item()
