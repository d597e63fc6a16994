import pytest
import torch

from sealpose.seal import MarginObjective, NCEObjective


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
