import pytest
import torch
from torch import nn

from sealpose.seal import Contrast, MarginObjective
from sealpose.seal.build import build_contrast

from .bodies import BODY


def constant(value):
    def make(x, y_pred, y_true, skeleton):
        assert skeleton is BODY
        return torch.full_like(y_true, value)

    return make


class Gap(nn.Module):
    """How much higher the positive lies, on average; keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, energy_neg, energy_pos, y_neg, y_pos):
        assert y_neg.shape[:-2] == energy_neg.shape
        assert y_pos.shape[:-2] == energy_pos.shape
        shape = tuple(energy_neg.shape)
        self.asked.append((shape, y_neg.unique().tolist(), y_pos.unique().tolist()))
        return (energy_pos - energy_neg).mean()


def ranked(negatives=(), corrections=()):
    """Every pose is made of one number, and its energy is that number squared."""
    contrast = Contrast(
        [constant(each) for each in negatives],
        [constant(each) for each in corrections],
        BODY,
    )
    x, y = torch.zeros(2, 3, 6, 2), torch.ones(2, 3, 6, 3)
    poses = contrast.poses(x, 4 * y, y)
    ranking = Gap()
    value = contrast.objective(ranking, poses[..., 0, 0].square(), poses)
    return poses, ranking.asked, value.item()


def test_order_of_the_stack():
    poses, _, _ = ranked(negatives=(10.0, 20.0), corrections=(2.0, 3.0))
    assert poses.shape == (6, 2, 3, 6, 3)
    assert poses[:, 1, 2, 3, 0].tolist() == [1, 4, 10, 20, 2, 3]
    assert poses[Contrast.TRUTH].unique() == 1
    assert poses[Contrast.PREDICTION].unique() == 4


def test_prediction_alone_has_no_axis_of_its_own():
    _, asked, value = ranked()
    assert asked == [((2, 3), [4], [1])]
    assert value == 1 - 16


def test_synthetic_negatives_stand_beside_the_prediction():
    _, asked, value = ranked(negatives=(3.0,))
    assert asked == [((2, 2, 3), [3, 4], [1])]
    assert value == 1 - (16 + 9) / 2


def test_objective_is_the_mean_over_the_comparisons():
    _, asked, value = ranked(negatives=(10.0, 20.0), corrections=(2.0, 3.0))
    assert asked == [
        ((3, 2, 3), [4, 10, 20], [1]),
        ((2, 3), [4], [2]),
        ((2, 3), [4], [3]),
    ]
    truth = 1 - (16 + 100 + 400) / 3
    assert value == pytest.approx((truth + (4 - 16) + (9 - 16)) / 3)
    _, asked, value = ranked(corrections=(2.0,))
    assert asked == [((2, 3), [4], [1]), ((2, 3), [4], [2])]
    assert value == pytest.approx((1 - 16 + 4 - 16) / 2)


def test_margin_of_a_negative_is_its_own():
    contrast = Contrast([constant(3.0)], skeleton=BODY)
    y = torch.zeros(2, 1, 6, 3)
    poses = contrast.poses(y[..., :2], y + torch.tensor([0.0, 0.0, 1.0]), y)
    energies = torch.tensor([0.5, 0.25, 1.0])[:, None, None].expand(3, 2, 1)
    # MPJPE 1 for the prediction, |(3, 3, 3)| for the negative.
    expected = ((1 + 0.25) + (27**0.5 - 0.5)) / 2
    value = contrast.objective(MarginObjective(), energies, poses)
    assert value.item() == pytest.approx(expected)


def test_prediction_and_truth_need_no_skeleton():
    y = torch.randn(2, 1, 5, 3)
    poses = Contrast().poses(y[..., :2], y + 1, y)
    assert torch.equal(poses, torch.stack([y, y + 1]))


def test_configs_come_in_their_order():
    contrast = build_contrast(
        'h36m17',
        negatives=[{'type': 'JointNoise', 'std': 0.5}, {'type': 'OtherPose'}],
        corrections=[{'type': 'Symmetrised'}],
    )
    y = torch.randn(3, 1, 17, 3)
    poses = contrast.poses(y[..., :2], y + 1, y)
    assert poses.shape[0] == 5
    assert torch.equal(poses[3], y.roll(1, 0))
    assert (poses[2] - y).std().item() == pytest.approx(0.5, rel=0.3)
