import torch
from torch import Tensor, nn

from sealpose.analysis.energy_field import EnergyField, Windows
from sealpose.analysis.poses import spread_evenly
from sealpose.seal import GraphLossNet, MLPLossNet


class Speed(nn.Module):
    """Energy of a frame: squared way of the first joint since the one before it."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        way = y[:, 1:, 0] - y[:, :-1, 0]
        return nn.functional.pad(way.square().sum(-1), (1, 0))


def test_windows_cover_each_frame_once_and_stay_in_their_sequence():
    # Seven frames of one sequence, five and (after a gap) two of another.
    sequence = torch.tensor([0] * 7 + [1] * 7)
    frame = torch.tensor([*range(7), *range(5), 8, 9])
    windows = Windows.over(sequence, frame, 3)
    assert windows.rows.tolist() == [
        [0, 1, 2], [3, 4, 5], [4, 5, 6], [7, 8, 9], [9, 10, 11], [12, 13, 13],
    ]  # fmt: skip
    assert windows.frames().tolist() == list(range(14))
    assert windows.own[2].tolist() == [False, False, True]
    assert windows.own[5].tolist() == [True, True, False]


def test_some_windows_keep_their_context():
    windows = Windows.over(torch.zeros(7).long(), torch.arange(7), 3)
    some, seen = windows.take(torch.tensor([0, 2]))
    assert seen.tolist() == [0, 1, 2, 4, 5, 6]
    assert seen[some.rows].tolist() == [[0, 1, 2], [4, 5, 6]]
    assert seen[some.frames()].tolist() == [0, 1, 2, 6]


def test_a_loss_net_over_windows_sees_neighbours():
    x = torch.zeros(7, 1, 2)
    y = torch.tensor([0.0, 1, 3, 6, 10, 15, 21])[:, None, None].expand(7, 1, 3) / 3**0.5
    windows = Windows.over(torch.zeros(7).long(), torch.arange(7), 3)
    field = EnergyField(Speed(), x, windows)
    # Windows 0-2, 3-5 and 4-6; their first frames have nothing before them.
    torch.testing.assert_close(
        field.energy(y), torch.tensor([0.0, 1, 4, 0, 16, 25, 36])
    )
    # By frame 1 of its window: 2 (way to it) - 2 (way from it), 2 * 1 - 2 * 2 = -2.
    expected = torch.tensor([-2.0, -2, 4, -8, -2, 10, 12])[:, None, None]
    torch.testing.assert_close(field.gradient(y), expected.expand(7, 1, 3) / 3**0.5)


def test_batches_and_dropout_do_not_show(monkeypatch):
    torch.manual_seed(0)
    x, y = torch.randn(20, 17, 2), torch.randn(20, 17, 3)
    for loss_net in (
        MLPLossNet('h36m17', hidden_dims=16, batch_norm=True),
        GraphLossNet('h36m17', embed_dims=16, num_heads=2, depth=2),
    ):
        field = EnergyField(loss_net.train(), x)
        energy, gradient = field.energy(y), field.gradient(y)
        one_by_one = torch.cat(
            [
                loss_net(a[None, None], b[None, None])[0]
                for a, b in zip(x, y, strict=True)
            ]
        )
        torch.testing.assert_close(energy, one_by_one)
        monkeypatch.setattr('sealpose.analysis.energy_field.BATCH_FRAMES', 3)
        torch.testing.assert_close(field.energy(y), energy)
        torch.testing.assert_close(field.gradient(y), gradient)
        assert all(p.grad is None for p in loss_net.parameters())


def test_numbers_spread_evenly():
    assert spread_evenly(10, 4).tolist() == [0, 2, 5, 7]
    assert spread_evenly(3, 8).tolist() == [0, 1, 2]
