import pytest
import torch

from sealpose.models.backbones.large_simple_baseline import LargeSimpleBaseline
from sealpose.models.backbones.simple_baseline_h3wb import H3WBSimpleBaseline
from tests.test_models.golden import check_golden

BOTH = pytest.mark.parametrize('kind', [H3WBSimpleBaseline, LargeSimpleBaseline])


@pytest.mark.parametrize(
    ('kind', 'published'),
    [(H3WBSimpleBaseline, 4_888_975), (LargeSimpleBaseline, 6_979_983)],
)
def test_parameters_are_as_many_as_published(kind, published):
    assert sum(p.numel() for p in kind().parameters()) == published


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        (
            H3WBSimpleBaseline,
            [
                [0.02368346, -0.0940663, -0.11633188],
                [-0.01881795, -0.05874862, 0.04264394],
                [-0.01832012, 0.11736151, 0.11273088],
            ],
        ),
        (
            LargeSimpleBaseline,
            [
                [-0.00959305, 0.03941256, 0.07567365],
                [-0.01867613, 0.04588762, 0.01279474],
                [0.00913108, -0.07190068, -0.10297729],
            ],
        ),
    ],
)
def test_output_for_given_parameters_does_not_drift(kind, expected):
    check_golden(kind(channels=64), expected, joints=(0, 9, 132), num_joints=133)


@BOTH
def test_each_frame_is_lifted_alone(kind):
    model = kind(num_joints=5, channels=16).double().eval()
    x = torch.randn(2, 3, 5, 2).double()
    one_by_one = torch.stack([model(x[:, t : t + 1])[:, 0] for t in range(3)], 1)
    torch.testing.assert_close(model(x), one_by_one)


@BOTH
def test_another_number_of_joints_is_refused(kind):
    with pytest.raises(ValueError, match='built for 133 joints'):
        kind(channels=8)(torch.zeros(1, 1, 17, 2))


def test_dropout_is_off_at_test_time_unless_asked_for():
    torch.manual_seed(0)
    x = torch.randn(1, 1, 133, 2)
    sound = H3WBSimpleBaseline(channels=32).eval()
    published = H3WBSimpleBaseline(channels=32, dropout_in_eval=True).eval()
    published.load_state_dict(sound.state_dict())
    assert torch.equal(sound(x), sound(x))
    assert not torch.equal(published(x), published(x))


def test_settings_come_from_the_shapes_of_official_weights():
    state = {
        'upscale.weight': torch.zeros(24, 266),
        'res_1.l1.weight': torch.zeros(24, 24),
        'res_2.l1.weight': torch.zeros(24, 24),
    }
    expected = dict(num_joints=133, channels=24)
    assert H3WBSimpleBaseline.official.settings(state) == expected
    expected['num_stages'] = 2
    assert LargeSimpleBaseline.official.settings(state) == expected
