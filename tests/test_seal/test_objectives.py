import math

import pytest
import torch

from sealpose.seal import (
    AdversarialObjective,
    MarginObjective,
    NCEObjective,
    RegressionObjective,
)


def poses(*offsets):
    """Return negative and truth of one frame per offset, two joints, metres.

    Joint 0 is off by (3, 4, 0) times the offset, joint 1 is right: MPJPE 2.5 times it.
    """
    truth = torch.zeros(len(offsets), 1, 2, 3)
    negative = truth.clone()
    negative[:, 0, 0] = torch.tensor(offsets)[:, None] * torch.tensor([3.0, 4.0, 0.0])
    return negative, truth


@pytest.mark.parametrize(
    ('distance', 'margins'),
    [('mpjpe', (2.5, 5.0)), ('mse', (25 / 6, 100 / 6)), ('l1', (7 / 6, 14 / 6))],
)
def test_margin_of_each_frame(distance, margins):
    negative, truth = poses(1.0, 2.0)
    # The first frame lacks its whole margin and 1 more, the second has it.
    neg, pos = torch.tensor([[0.0], [100.0]]), torch.tensor([[1.0], [0.0]])
    value = MarginObjective(distance)(neg, pos, negative, truth)
    assert value.item() == pytest.approx((margins[0] + 1) / 2)


def test_margin_of_the_batch_and_scale():
    negative, truth = poses(1.0, 2.0)
    # Margins 5 and 10 alone, 7.5 for both.
    neg, pos = torch.tensor([[0.0], [8.0]]), torch.zeros(2, 1)
    batch = MarginObjective(scale=2.0, per_frame=False)(neg, pos, negative, truth)
    frame = MarginObjective(scale=2.0)(neg, pos, negative, truth)
    assert batch.item() == pytest.approx(7.5 / 2)
    assert frame.item() == pytest.approx((5 + 2) / 2)


def test_negative_scale_ranks_without_hinge():
    negative, truth = poses(1.0, 2.0)
    neg, pos = torch.tensor([[5.0], [9.0]]), torch.tensor([[1.0], [2.0]])
    value = MarginObjective(scale=-1.0)(neg, pos, negative, truth)
    assert value.item() == pytest.approx(-(4 + 7) / 2)


def test_margin_never_pairs_a_frame_with_another():
    """The published mse margin compared every frame with every other one."""
    negative, truth = torch.randn(5, 3, 17, 3), torch.randn(5, 3, 17, 3)
    neg, pos = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3)
    for distance in ('mpjpe', 'mse', 'l1'):
        value = MarginObjective(distance)(neg, pos, negative, truth)
        alone = [
            MarginObjective(distance)(*(part[i, j] for part in (neg, pos)), *pair)
            for i in range(5)
            for j in range(3)
            for pair in [(negative[i, j], truth[i, j])]
        ]
        torch.testing.assert_close(value, torch.stack(alone).mean())


def test_hinges_say_which_frames_still_push():
    negative, truth = poses(1.0, 2.0)
    neg, pos = torch.tensor([[0.0], [100.0]]), torch.tensor([[1.0], [0.0]])
    hinges = MarginObjective().hinges(neg, pos, negative, truth)
    torch.testing.assert_close(hinges, torch.tensor([[3.5], [0.0]]))
    both = MarginObjective(per_frame=False).hinges(neg, pos, negative, truth)
    torch.testing.assert_close(both, torch.tensor([[4.75], [0.0]]))
    ranking = MarginObjective(scale=-1.0).hinges(neg, pos, negative, truth)
    torch.testing.assert_close(ranking, torch.tensor([[1.0], [-100.0]]))


@pytest.mark.parametrize(
    'objective',
    [MarginObjective(), MarginObjective(scale=-1.0), MarginObjective('mse', 0.3)],
)
def test_margin_of_several_negatives_is_the_mean_over_them(objective):
    torch.manual_seed(0)
    negatives, truth = torch.randn(3, 5, 2, 17, 3), torch.randn(5, 2, 17, 3)
    neg, pos = torch.randn(3, 5, 2), torch.randn(5, 2)
    each = [objective(n, pos, y, truth) for n, y in zip(neg, negatives, strict=True)]
    value = objective(neg, pos, negatives, truth)
    torch.testing.assert_close(value, torch.stack(each).mean())


def test_regression_by_hand():
    negative, truth = poses(1.0, 2.0)
    # Errors of 2.5 and 5 m count 5 and 10.
    neg, pos = torch.tensor([[4.0], [12.0]]), torch.tensor([[1.0], [3.0]])
    value = RegressionObjective(scale=2.0)(neg, pos, negative, truth)
    assert value.item() == pytest.approx((1 + 4) / 2 + (1 + 9) / 2)
    several = RegressionObjective(scale=2.0)(
        torch.stack([neg, neg + 1]), pos, torch.stack([negative, negative]), truth
    )
    assert several.item() == pytest.approx((1 + 4 + 0 + 9) / 4 + (1 + 9) / 2)


def test_regression_is_least_where_the_energy_is_the_error():
    negative, truth = poses(1.0, 2.0)
    objective = RegressionObjective()
    neg = torch.tensor([[25.0], [50.0]], requires_grad=True)
    pos = torch.zeros(2, 1, requires_grad=True)
    value = objective(neg, pos, negative, truth)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-9)
    assert neg.grad.abs().max() < 1e-4 and not pos.grad.any()
    # Above and below are as wrong.
    for side in (-1, 1):
        off = objective(neg.detach() + side, pos, negative, truth)
        assert off.item() == pytest.approx(1)
        off = objective(neg, pos.detach() + side, negative, truth)
        assert off.item() == pytest.approx(1)


def test_adversarial_by_hand():
    y = torch.zeros(2, 1, 17, 3)
    neg, pos = torch.tensor([[2.0], [-1.0]]), torch.tensor([[0.0], [-3.0]])
    true = (math.log(2) + math.log1p(math.exp(-3))) / 2
    fake = (math.log1p(math.exp(-2)) + math.log1p(math.e)) / 2
    value = AdversarialObjective()(neg, pos, y, y)
    assert value.item() == pytest.approx(true + fake)
    several = AdversarialObjective()(torch.stack([neg, neg]), pos, y, y)
    assert several.item() == pytest.approx(true + fake)


def test_adversarial_judges_each_energy_by_itself():
    """A ranking would not notice that all energies rise; a discriminator does."""
    y = torch.zeros(1, 1, 17, 3)
    neg, pos = torch.tensor([[1.0]]), torch.tensor([[-1.0]])
    adversarial, ranking = AdversarialObjective(), NCEObjective()
    torch.testing.assert_close(ranking(neg + 5, pos + 5, y, y), ranking(neg, pos, y, y))
    assert adversarial(neg + 5, pos + 5, y, y) > adversarial(neg, pos, y, y) + 1


@pytest.mark.parametrize('num_negatives', [None, 1, 4])
@pytest.mark.parametrize('temperature', [0.1, 1.0, 7.0])
def test_nce_is_a_cross_entropy(num_negatives, temperature):
    torch.manual_seed(0)
    shape = () if num_negatives is None else (num_negatives,)
    neg = torch.randn(*shape, 6, 2, dtype=torch.float64) * 3
    pos = torch.randn(6, 2, dtype=torch.float64) * 3
    every = torch.cat([pos[None], neg.reshape(-1, 6, 2)])
    expected = -torch.log_softmax(-every / temperature, 0)[0].mean()
    y = torch.zeros(6, 2, 17, 3)
    value = NCEObjective(temperature)(neg, pos, y, y)
    torch.testing.assert_close(value, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize('gap', [-1e4, -1e3, 0.0, 1e3, 1e4])
def test_nce_survives_extreme_energies(gap):
    neg = torch.tensor([[0.0]], dtype=torch.float64, requires_grad=True)
    pos = torch.tensor([[gap]], dtype=torch.float64)
    y = torch.zeros(1, 1, 17, 3)
    value = NCEObjective()(neg, pos, y, y)
    value.backward()
    expected = -torch.log_softmax(torch.tensor([-gap, 0.0], dtype=torch.float64), 0)[0]
    torch.testing.assert_close(value.detach(), expected)
    assert -1 <= neg.grad.item() <= 0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="mpjpe, mse, l1, .* but got 'l2'"):
        MarginObjective('l2')
    with pytest.raises(ValueError, match='temperature must be positive, but got 0'):
        NCEObjective(0)
