import pytest
import torch

from sealpose.models.backbones.simple_baseline import SimpleBaseline
from sealpose.models.backbones.videopose3d import VideoPose3D


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ('model', 'published'),
    [
        (VideoPose3D(filter_widths=(3, 3, 3)), 8_555_571),
        (VideoPose3D(filter_widths=(3, 3, 3, 3, 3)), 16_952_371),
        (VideoPose3D(filter_widths=(3, 3, 3, 3)), 12_753_971),
        (VideoPose3D(filter_widths=(1, 1, 1, 1, 1)), 8_494_131),
        (SimpleBaseline(), 4_296_755),
        (SimpleBaseline(num_joints=133), 4_891_023),
    ],
)
def test_published_parameter_counts(model, published):
    assert num_parameters(model) == published


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


def test_videopose_has_the_published_state_dict():
    keys = VideoPose3D(channels=8).state_dict().keys()
    assert 'expand_conv.weight' in keys
    assert 'layers_conv.3.weight' in keys
    assert 'layers_bn.0.running_mean' in keys
    assert 'shrink.bias' in keys
    assert len(keys) == 1 + 5 + 4 + 4 * 5 + 2


def test_videopose_depends_on_its_window_alone():
    model = VideoPose3D(channels=16).eval()
    x = torch.randn(1, 40, 17, 2)
    changed = x.clone()
    changed[:, 27:] += 1
    assert torch.equal(model(x)[:, 0], model(changed)[:, 0])
    assert not torch.equal(model(x)[:, 1], model(changed)[:, 1])


def test_videopose_refuses_short_windows_and_even_filters():
    with pytest.raises(ValueError, match='at least 27 frames, got 26'):
        VideoPose3D(channels=8)(torch.zeros(1, 26, 17, 2))
    with pytest.raises(ValueError, match='must be odd'):
        VideoPose3D(filter_widths=(3, 2))


def test_simple_baseline_lifts_each_frame_alone():
    model = SimpleBaseline(channels=16).eval()
    x = torch.randn(2, 3, 17, 2)
    one_by_one = torch.stack([model(x[:, t : t + 1])[:, 0] for t in range(3)], 1)
    torch.testing.assert_close(model(x), one_by_one)
