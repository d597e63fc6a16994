import pytest

from sealpose.seal.schedule import EnergyWeight, Ramp


def test_constant_after_the_warmup():
    weight = EnergyWeight(0.5, warmup_iters=3)
    assert [weight.at(i) for i in range(5)] == [0, 0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ('kind', 'values'),
    [('linear', (0.5, 0.625, 0.75, 1.0)), ('cosine', (0.5, 0.573223, 0.75, 1.0))],
)
def test_ramp_by_hand(kind, values):
    ramp = Ramp(end=14, begin=10, type=kind, start_factor=0.5)
    for iteration, value in zip((10, 11, 12, 14), values, strict=True):
        assert ramp.at(iteration) == pytest.approx(value, abs=1e-6)
    assert ramp.at(0) == 0.5 and ramp.at(100) == 1.0


def test_ramp_may_fall_and_warmup_wins():
    weight = EnergyWeight(2.0, 5, Ramp(end=10, start_factor=1.0, end_factor=0.0))
    assert weight.at(4) == 0
    assert weight.at(5) == pytest.approx(1.0)
    assert weight.at(10) == 0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match='begin=5 and end=5'):
        Ramp(end=5, begin=5)
    with pytest.raises(ValueError, match="'linear' or 'cosine', but got 'step'"):
        Ramp(end=5, type='step')
    with pytest.raises(ValueError, match='must not be negative, got -1'):
        EnergyWeight(-1)
