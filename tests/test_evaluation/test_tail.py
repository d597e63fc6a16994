import math

import pytest
import torch

from sealpose.evaluation import evaluate_poses
from sealpose.evaluation.functional.tail import worst_mean
from sealpose.registry import FRAME_METRICS
from tests.test_evaluation.bodies import ARMS

TAILS = {name: FRAME_METRICS.get(name) for name in ('MPJPE-worst5', 'MPJPE-worst1')}


def report(errors_mm):
    """Evaluate actions whose frames are off by so many millimetres."""
    sequences = [
        dict(action=name, frames=len(errors)) for name, errors in errors_mm.items()
    ]
    off = torch.tensor([e for errors in errors_mm.values() for e in errors])
    gt = torch.zeros(len(off), 5, 3)
    pred = gt.clone()
    pred[..., 1] = off[:, None] / 1000
    return evaluate_poses(pred, gt, sequences, ARMS, TAILS, dataset='toy')


def test_by_hand():
    # 100 frames of 1 to 100 mm: the worst 5 are 96 to 100.
    up = [float(i) for i in range(1, 101)]
    found = report({'up': up[::-1], 'few': [1000.0, 10.0, 10.0]})
    assert found.per_action['up'] == pytest.approx(
        {'MPJPE-worst5': 98, 'MPJPE-worst1': 100}
    )
    # Of three frames there is one that is worst.
    assert found.per_action['few']['MPJPE-worst5'] == pytest.approx(1000)
    assert found.action_mean['MPJPE-worst5'] == pytest.approx((98 + 1000) / 2)
    # Of all 103: six and two, wherever they come from.
    assert found.frame_mean == pytest.approx(
        {'MPJPE-worst5': (1000 + 98 * 5) / 6, 'MPJPE-worst1': (1000 + 100) / 2}
    )


@pytest.mark.parametrize(('frames', 'worst'), [(700, 7), (701, 8), (100, 1), (1, 1)])
def test_the_count_is_exact_and_rounded_up(frames, worst):
    values = torch.arange(frames, dtype=torch.float64)
    expected = values[-worst:].mean().item()
    assert worst_mean(values, 1).item() == expected


def test_frames_that_are_nan_are_the_worst():
    assert worst_mean(torch.tensor([1.0, math.nan, 2.0]), 1).isnan()
    assert worst_mean(torch.empty(0), 5).isnan()
