"""From predicted poses to the figures of a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sealpose.evaluation.functional import FrameMetric
from sealpose.evaluation.report import EvaluationReport
from sealpose.skeletons import Skeleton

PROTOCOL = 'root-relative, camera axes, prediction taken as it is'


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

    Args:
        pred: (N, J, 3), metres, root-relative, camera axes.
        gt: (N, J, 3), the truth.
        sequences: In the order of the frames; dicts with ``action`` and ``frames``.
        skeleton: The skeleton of the poses.
        metrics: Name to function, as :func:`frame_metric` registers it.
        dataset: Name of the data set.
        name: Name of the model.
        remarks: What the data set has to say of its protocol.
        headline: ``action_mean`` or ``frame_mean``: which one its protocol reports.
    """
    frames = [sequence['frames'] for sequence in sequences]
    values = defaultdict(lambda: {metric: [] for metric in metrics})
    frames_per_action = defaultdict(int)
    for sequence, p, y in zip(
        sequences, pred.split(frames), gt.split(frames), strict=True
    ):
        frames_per_action[sequence['action']] += sequence['frames']
        for metric, function in metrics.items():
            values[sequence['action']][metric].append(function(p, y, skeleton))
    pooled = {
        action: {metric: torch.cat(parts).double() for metric, parts in table.items()}
        for action, table in values.items()
    }
    return EvaluationReport(
        name=name,
        dataset=dataset,
        protocol='; '.join(filter(None, [PROTOCOL, remarks])),
        skeleton=skeleton.name,
        frames=len(pred),
        units={metric: function.unit for metric, function in metrics.items()},
        per_action={
            action: {metric: v.mean().item() for metric, v in table.items()}
            for action, table in pooled.items()
        },
        frames_per_action=dict(frames_per_action),
        action_mean={m: _action_mean(pooled, m) for m in metrics},
        frame_mean={
            m: torch.cat([table[m] for table in pooled.values()]).mean().item()
            for m in metrics
        },
        higher_is_better=[
            metric for metric, function in metrics.items() if function.higher_is_better
        ],
        headline=headline,
    )


def _action_mean(pooled: Mapping[str, Mapping[str, Tensor]], metric: str) -> float:
    # An action of single frames alone has no velocity; it must not spoil the mean.
    means = [table[metric].mean() for table in pooled.values() if len(table[metric])]
    return torch.stack(means).mean().item() if means else float('nan')
