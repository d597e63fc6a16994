import math

import pytest
import torch

from sealpose.analysis.correlation import (
    average_ranks,
    spearman,
    spearman_over_clips,
    spearman_within,
)
from sealpose.analysis.intervals import mean_over_clips


def tensor(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_ties_share_their_mean_rank():
    # 10 comes first; the two 20 take places 2 and 3, the three 30 places 4, 5 and 6.
    values = tensor(20, 30, 10, 30, 20, 30)
    assert average_ranks(values).tolist() == [2.5, 5, 1, 5, 2.5, 5]


def test_correlations_worked_out_by_hand():
    # d = (0, 1, -1, 0): 1 - 6 * 2 / (4 * 15) = 0.8.
    assert spearman(tensor(1, 2, 3, 4), tensor(10, 30, 20, 40)) == pytest.approx(0.8)
    # Ranks (1, 2.5, 2.5, 4) and (1, 2, 3, 4), about their mean 2.5:
    # (-1.5)(-1.5) + 0 + 0 + (1.5)(1.5) = 4.5 over sqrt(4.5 * 5).
    tied = spearman(tensor(1, 2, 2, 3), tensor(1, 2, 3, 4))
    assert tied == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman(tensor(1, 2, 3), tensor(9, 4, 1)) == pytest.approx(-1)
    assert math.isnan(spearman(tensor(1, 1, 1), tensor(1, 2, 3)))


def test_only_the_order_counts():
    values = torch.rand(50, generator=torch.Generator().manual_seed(0))
    other = torch.rand(50, generator=torch.Generator().manual_seed(1))
    assert spearman(values.exp() * 1e6, other) == pytest.approx(spearman(values, other))


def test_within_sequences_differs_from_over_all():
    # Within each of two sequences the larger energy has the smaller error, but the
    # sequence with the higher energies has the larger errors.
    energy = torch.cat([torch.arange(10.0), torch.arange(100.0, 110.0)])
    error = torch.cat([-torch.arange(10.0), 50 - torch.arange(10.0)])
    sequence = torch.arange(20) // 10
    within, count = spearman_within(energy, error, sequence, sequence)
    assert (within.value, within.low, within.high, count) == (-1, -1, -1, 2)
    over = spearman_over_clips(energy, error, sequence)
    # Ranks: 1..10 against 10..1 and 11..20 against 20..11: 1 - 6 * 660 / (20 * 399).
    assert over.value == pytest.approx(1 - 6 * 660 / 7980)


def test_frames_without_a_figure_and_short_sequences_do_not_count():
    energy = torch.arange(12.0)
    energy[3] = torch.nan
    error = torch.arange(12.0)
    error[3] = -1000
    sequence = torch.tensor([0] * 10 + [1] * 2)
    within, count = spearman_within(energy, error, sequence, sequence)
    assert (within.value, count) == (1, 1)
    assert spearman_over_clips(energy, error, sequence).value == pytest.approx(1)


def test_whole_clips_are_drawn_for_the_interval():
    # Two clips, one all 0 and one all 1: means of drawn clips are 0, 1/2 and 1. As
    # 2000 independent frames the interval would be 0.5 +- 0.02.
    values = torch.arange(2000) // 1000
    estimate = mean_over_clips(values.float(), values)
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0, 1)


def test_interval_of_many_clips_is_that_of_their_means():
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(200, generator=generator)
    values, clips = means.repeat_interleave(5), torch.arange(200).repeat_interleave(5)
    estimate = mean_over_clips(values, clips)
    error = means.std().item() / math.sqrt(200)
    assert estimate.value == pytest.approx(means.mean().item(), abs=1e-6)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_one_clip_has_no_interval():
    estimate = mean_over_clips(tensor(1, 2, 6, torch.nan), torch.zeros(4).long())
    assert estimate.value == 3
    assert math.isnan(estimate.low) and math.isnan(estimate.high)
