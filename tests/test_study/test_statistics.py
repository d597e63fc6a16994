import math

import numpy as np
import pytest

from sealpose.study.statistics import (
    Cells,
    bootstrap_subjects,
    paired_difference,
    t_quantile,
)


@pytest.mark.parametrize(
    'freedom, quantile',
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (30, 2.042)],
)
def test_t_quantiles_are_those_of_the_tables(freedom, quantile):
    assert t_quantile(freedom) == pytest.approx(quantile, abs=5e-4)


@pytest.mark.parametrize(
    'freedom, confidence, quantile',
    [(1, 0.5, 1.0), (7, 0.9, 1.895), (8, 0.99, 3.355), (120, 0.95, 1.980)],
)
def test_t_quantiles_of_other_confidences(freedom, confidence, quantile):
    assert t_quantile(freedom, confidence) == pytest.approx(quantile, abs=5e-4)
    with pytest.raises(ValueError, match='at least 1 degree'):
        t_quantile(0)


def test_paired_difference_worked_out_by_hand():
    # Differences 1, 2, 3: mean 2, sd 1, half width 4.303 / sqrt(3).
    found = paired_difference([11, 22, 33], [10, 20, 30])
    assert found.mean == pytest.approx(2)
    assert found.half == pytest.approx(4.30265 / math.sqrt(3), abs=1e-4)
    assert found.relative == pytest.approx(10)
    assert found.low == pytest.approx(2 - 2.4842, abs=1e-3)
    assert found.seeds == 3


def test_one_seed_has_no_interval_and_other_seeds_do_not_pair():
    assert math.isnan(paired_difference([3.0], [1.0]).half)
    with pytest.raises(ValueError, match='same seeds'):
        paired_difference([1, 2], [1])
    with pytest.raises(ValueError, match='at least one'):
        paired_difference([], [])


def cells(sums, counts):
    return Cells(np.array(sums, float), np.array(counts))


def test_headline_over_actions_and_over_frames():
    run = cells([[10, 4], [20, 0]], [[5, 1], [5, 0]])
    assert run.headline(by_action=True) == pytest.approx((3 + 4) / 2)
    assert run.headline(by_action=False) == pytest.approx(34 / 11)


def test_bootstrap_spans_the_subjects():
    # Subject 0 differs by 1, subject 1 by 3; draws give 1, 2 or 3.
    base = cells([[0], [0]], [[10], [10]])
    arm = cells([[10], [30]], [[10], [10]])
    assert bootstrap_subjects([arm], [base], by_action=False) == (1, 3)
    # Alike subjects and seeds leave nothing to chance.
    same = cells([[20], [20]], [[10], [10]])
    found = bootstrap_subjects([same, same], [base, base], by_action=True)
    assert found == (2, 2)


def test_bootstrap_draws_seeds_too():
    base = cells([[0], [0]], [[10], [10]])
    runs = [cells([[10 * d], [10 * d]], [[10], [10]]) for d in (-1, 1)]
    assert bootstrap_subjects(runs, [base, base], by_action=False) == (-1, 1)


def test_bootstrap_bears_actions_that_a_draw_lacks():
    base = cells([[0, 0], [0, 0]], [[10, 0], [10, 10]])
    arm = cells([[10, 0], [10, 50]], [[10, 0], [10, 10]])
    # Only subject 0: action 0 alone, 1. Else the mean of 1 and 5.
    assert bootstrap_subjects([arm], [base], by_action=True) == (1, 3)


def test_one_subject_has_no_bootstrap_interval():
    one = cells([[1]], [[1]])
    assert all(map(math.isnan, bootstrap_subjects([one], [one], by_action=False)))
