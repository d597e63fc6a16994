import pytest
import torch

from sealpose.seal.balance import GradientBalance


def gradient(*values):
    """Return a gradient (1, 1, 2, 3) that starts with these values."""
    padded = torch.tensor([*values, *[0.0] * (6 - len(values))])
    return padded.reshape(1, 1, 2, 3)


def test_first_iteration_by_hand():
    balance = GradientBalance()
    figures = balance.update(gradient(3, 4), gradient(0, 0, 0, 2))
    assert figures['gradient_ratio'].item() == pytest.approx(2 / 5)
    assert figures['gradient_cosine'].item() == 0
    # No bias towards the zero that the running means start from.
    assert balance.weight(0.5).item() == pytest.approx(0.5 * 5 / 2)
    assert balance.weight(1.0).item() == pytest.approx(5 / 2)


@pytest.mark.parametrize(
    ('energy', 'cosine'),
    [((6, 8), 1), ((-0.3, -0.4), -1), ((8, -6), 0), ((3, 0), 0.6), ((0, 0, 9), 0)],
)
def test_cosine_of_the_gradients(energy, cosine):
    figures = GradientBalance().update(gradient(3, 4), gradient(*energy))
    assert figures['gradient_cosine'].item() == pytest.approx(cosine, abs=1e-6)


def test_running_means_by_hand():
    balance = GradientBalance(momentum=0.9)
    balance.update(gradient(3, 4), gradient(2))
    balance.update(gradient(6, 8), gradient(4))
    squares = (0.9 * 25 + 100) / 1.9, (0.9 * 4 + 16) / 1.9
    assert balance.weight(2.0).item() == pytest.approx(
        2 * (squares[0] / squares[1]) ** 0.5
    )
    # One iteration cannot throw it off.
    for _ in range(200):
        balance.update(gradient(3, 4), gradient(2))
    balance.update(gradient(3, 4), gradient(4))
    expected = (25 / (0.9 * 4 + 0.1 * 16)) ** 0.5
    assert balance.weight(1.0).item() == pytest.approx(expected, rel=1e-4)


def test_size_of_the_energy_does_not_matter():
    torch.manual_seed(0)
    steps = [(torch.randn(4, 1, 17, 3), torch.randn(4, 1, 17, 3)) for _ in range(5)]
    plain, large, tiny = (GradientBalance() for _ in range(3))
    for pose, energy in steps:
        plain.update(pose, energy)
        figures = large.update(pose, 1000 * energy)
        tiny.update(pose, 1e-6 * energy)
        pull = plain.weight(0.3) * energy
        torch.testing.assert_close(large.weight(0.3) * 1000 * energy, pull)
        torch.testing.assert_close(tiny.weight(0.3) * 1e-6 * energy, pull)
        norms = 1000 * energy.norm() / pose.norm()
        torch.testing.assert_close(figures['gradient_ratio'], norms)


def test_state_continues_where_it_was():
    torch.manual_seed(0)
    gradients = [torch.randn(2, 3, 1, 5, 3) for _ in range(4)]
    straight, stopped, resumed = (GradientBalance() for _ in range(3))
    resumed.load_state_dict(stopped.state_dict())
    for pose, energy in gradients[:2]:
        straight.update(pose, energy)
        stopped.update(pose, energy)
    resumed.load_state_dict(stopped.state_dict())
    assert resumed.weight(1.0) == straight.weight(1.0)
    for pose, energy in gradients[2:]:
        straight.update(pose, energy)
        resumed.update(pose, energy)
    assert resumed.weight(1.0) == straight.weight(1.0)
    assert resumed.weight(1.0) != stopped.weight(1.0)
    assert GradientBalance().state_dict() == {}


def test_gradients_of_nothing_and_of_half_precision():
    balance = GradientBalance()
    figures = balance.update(torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 2, 3))
    assert all(value.isfinite() for value in figures.values())
    assert balance.weight(1.0) == 0
    half = GradientBalance()
    # The squared norm, 600², is beyond float16.
    figures = half.update(gradient(600).half(), gradient(300.0, 400.0).half())
    assert half.weight(1.0).item() == pytest.approx(600 / 500)
    assert figures['gradient_cosine'].item() == pytest.approx(0.6)
