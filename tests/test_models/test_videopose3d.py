import pytest
import torch

from sealpose.models.backbones.videopose3d import VideoPose3D
from tests.test_models.golden import golden_output


@pytest.mark.parametrize(
    ('widths', 'published'),
    [
        ((1,) * 5, 8_494_131),
        ((3,) * 3, 8_555_571),
        ((3,) * 4, 12_753_971),
        ((3,) * 5, 16_952_371),
    ],
)
def test_parameters_are_as_many_as_published(widths, published):
    with torch.device('meta'):
        model = VideoPose3D(filter_widths=widths)
    assert sum(p.numel() for p in model.parameters()) == published


def test_output_for_given_parameters_does_not_drift():
    pose = golden_output(VideoPose3D(channels=64), frames=27)
    expected = [
        [-0.03146343, -0.02305314, -0.04445697],
        [0.05662148, 0.0083981, -0.01697826],
        [-0.00452697, -0.03480205, -0.07248041],
    ]
    torch.testing.assert_close(
        pose[[0, 9, 16]], torch.tensor(expected).double(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize('widths', [(3, 3, 3), (5, 3), (3,), (1, 1)])
def test_strided_and_dilated_agree_with_the_same_weights(widths):
    torch.manual_seed(0)
    model = VideoPose3D(filter_widths=widths, channels=32).double().eval()
    frames = model.num_frames + 11
    x = torch.randn(2, frames, 17, 2).double()
    whole = model(x)
    assert whole.shape == (2, 12, 17, 3)
    windows = [model(x[:, i : i + model.num_frames]) for i in range(12)]
    torch.testing.assert_close(whole, torch.cat(windows, 1))


def test_the_state_dict_is_the_published_one():
    keys = VideoPose3D(channels=8).state_dict().keys()
    assert 'expand_conv.weight' in keys
    assert 'layers_conv.3.weight' in keys
    assert 'layers_bn.0.running_mean' in keys
    assert 'shrink.bias' in keys
    assert len(keys) == 1 + 5 + 4 + 4 * 5 + 2


def test_settings_come_from_the_shapes_of_official_weights():
    model = VideoPose3D(num_joints=16, filter_widths=(3, 5, 1), channels=8)
    settings = VideoPose3D.official.settings(model.state_dict())
    assert settings == dict(num_joints=16, filter_widths=(3, 5, 1), channels=8)


def test_a_prediction_depends_on_its_window_alone():
    model = VideoPose3D(channels=16).eval()
    x = torch.randn(1, 40, 17, 2)
    changed = x.clone()
    changed[:, 27:] += 1
    assert torch.equal(model(x)[:, 0], model(changed)[:, 0])
    assert not torch.equal(model(x)[:, 1], model(changed)[:, 1])


def test_short_windows_even_filters_and_other_joints_are_refused():
    with pytest.raises(ValueError, match='at least 27 frames, got 26'):
        VideoPose3D(channels=8)(torch.zeros(1, 26, 17, 2))
    with pytest.raises(ValueError, match='must be odd'):
        VideoPose3D(filter_widths=(3, 2))
    with pytest.raises(ValueError, match='built for 17 joints'):
        VideoPose3D(channels=8)(torch.zeros(1, 27, 16, 2))
