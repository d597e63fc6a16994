"""Warnings of a loss-net that goes wrong, from the figures of the log."""

import math

import pytest

from sealpose.seal.watch import EnergyWatch


def figures(right=0.8, pred=1.5, true=0.5, ratio=0.5, weight=0.1):
    return dict(
        ranked_right=right,
        energy_pred=pred,
        energy_true=true,
        energy_gap=pred - true,
        gradient_ratio=ratio,
        energy_weight=weight,
    )


def warnings_of(sequence):
    watch = EnergyWatch()
    return [watch.update(each) for each in sequence]


def kinds(sequence):
    """Number of the interval and first words of every warning."""
    return [
        (number, words)
        for number, given in enumerate(warnings_of(sequence))
        for words in given
    ]


def test_a_healthy_run_gets_no_warning():
    # Starts at chance, learns, and the ranking gets harder as the pose-net gets better.
    run = [figures(0.5, 0.01, 0.0), figures(0.52, 0.2, 0.15), figures(0.6, 0.9, 0.3)]
    run += [figures(0.9, 2.0 + 0.1 * n, 0.5, ratio=3.0) for n in range(50)]
    run += [figures(0.58, 1.2, 1.1) for _ in range(50)]
    # Short dips are no collapse, nor are short pulls.
    run += [figures(0.5, 1.0, 1.0)] * 4 + [figures()] + [figures(0.5, 1.0, 1.0)] * 4
    run += [figures(), *[figures(ratio=1000.0)] * 4, figures()]
    assert kinds(run) == []


def test_a_collapse_is_told_once_in_the_fifth_interval():
    healthy = [figures()] * 10
    ((number, told),) = kinds(healthy + [figures(0.5, 1.0, 0.999)] * 20)
    assert number == 14
    assert 'ranks no better than chance: 50%' in told
    assert 'it has collapsed' in told
    assert 'To try' in told


@pytest.mark.parametrize('right', [0.0, 0.5, 0.55])
def test_a_loss_net_that_says_the_same_of_all_has_collapsed(right):
    # Equal energies count as ranked wrongly.
    ((number, told),) = kinds([figures(right, 0.3, 0.3)] * 9)
    assert number == 4
    assert 'collapsed' in told


def test_chance_with_a_gap_is_another_trouble():
    ((_, told),) = kinds([figures(0.5, 3.0, 1.0)] * 9)
    assert 'a few poses make up the gap' in told


@pytest.mark.parametrize('sign', [1, -1])
def test_an_explosion_is_told_once(sign):
    run = [figures(pred=sign * 1.5 * 3.0**n, true=sign * 3.0**n) for n in range(30)]
    ((number, told),) = kinds(run)
    # 1.5 · 3⁹ > 10⁴ · 1.5 > 1.5 · 3⁸.
    assert number == 9
    assert 'grown to 3e+04, from 1.5' in told


def test_tiny_energies_may_grow():
    assert kinds([figures(0.8, 1e-6 * 2.0**n, 0.0) for n in range(29)]) == []


def test_an_energy_is_too_large_from_a_million():
    def huge(size):
        return [figures(pred=size, true=0.9 * size)] * 5

    assert kinds(huge(9e5)) == []
    assert [number for number, _ in kinds(huge(1.1e6))] == [0]
    assert 'inf' in kinds([figures(pred=math.inf)])[0][1]


def test_an_energy_that_drowns_the_pose_loss():
    ((number, told),) = kinds([figures(ratio=300.0)] * 9)
    assert number == 4
    assert '30 times that of all other losses' in told
    assert kinds([figures(ratio=300.0, weight=0.01)] * 9) == []


def test_missing_figures_and_nan_are_no_trouble():
    nan = dict.fromkeys(figures(), math.nan)
    assert kinds([{}, dict(energy_weight=0.0), nan] * 9) == []
    # A loss-net that is kept as it is has no ranking.
    static = dict(energy_pred=2.0, gradient_ratio=1.0, energy_weight=0.1)
    assert kinds([static] * 9) == []
