import math

import pytest
import torch

from sealpose.models.backbones.poseformerv2 import PoseFormerV2, dct_matrix
from tests.test_models.golden import golden_output


@pytest.mark.parametrize(
    ('frames', 'kept', 'coefficients', 'published'),
    [
        (27, 1, 3, 14_354_649),
        (27, 3, 3, 14_355_739),
        (81, 1, 3, 14_354_649),
        (81, 3, 3, 14_355_739),
        (81, 9, 9, 14_362_279),
        (243, 27, 27, 14_381_899),
    ],
)
def test_published_parameter_counts(frames, kept, coefficients, published):
    with torch.device('meta'):
        model = PoseFormerV2(17, frames, kept, coefficients)
    assert sum(p.numel() for p in model.parameters()) == published


def small(**settings):
    settings = {
        'num_frames': 9, 'kept_frames': 3, 'kept_coefficients': 4, 'joint_dims': 8,
        'depth': 2, 'num_heads': 2, **settings,
    }  # fmt: skip
    return PoseFormerV2(**settings)


def test_golden_output():
    expected = [
        [0.2889372, 0.2357033, 0.1754444],
        [-0.2172577, -0.2475592, -0.2716125],
        [0.4875551, 0.4956572, 0.4919271],
    ]
    pose = golden_output(small(), frames=9)
    torch.testing.assert_close(
        pose[[0, 3, 16]], torch.tensor(expected).double(), atol=1e-6, rtol=0
    )


def test_dct_by_the_formula():
    x = torch.randn(5).double()
    spectrum = dct_matrix(5).double() @ x
    for k in range(5):
        slow = 2 * sum(
            x[n] * math.cos(math.pi * k * (2 * n + 1) / 10) for n in range(5)
        )
        assert spectrum[k].item() == pytest.approx(slow.item(), abs=1e-6)


def test_transforms_of_a_block_undo_each_other():
    block = small().blocks[0]
    assert block.split == [3, 4]
    product = block.inverse @ block.transform
    torch.testing.assert_close(product, torch.eye(4), atol=1e-6, rtol=0)


def test_only_low_frequencies_of_far_frames_are_seen():
    model = small().eval()
    x = torch.randn(1, 9, 17, 2)
    # The highest frequency of the window, without the central frames.
    ripple = torch.linalg.inv(dct_matrix(9).double())[:, 8].float()
    ripple = ripple[None, :, None, None].expand_as(x)
    hidden = model._frequencies(x)
    torch.testing.assert_close(hidden, model._frequencies(x + ripple))
    assert not torch.allclose(model(x), model(x + ripple))


def test_eval_is_deterministic_and_training_drops_paths():
    torch.manual_seed(0)
    model = small(drop_path=0.9)
    x = torch.randn(4, 9, 17, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(kept_frames=2), 'kept_frames must be odd and at most num_frames=9'),
        (dict(kept_frames=11), 'kept_frames must be odd and at most num_frames=9'),
        (dict(kept_coefficients=10), 'between 1 and num_frames=9, got 10'),
    ],
)
def test_more_than_the_window_has_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_other_windows_and_joints_are_refused():
    with pytest.raises(ValueError, match='windows of 9 frames, got 8'):
        small()(torch.zeros(1, 8, 17, 2))
    with pytest.raises(ValueError, match='built for 17 joints'):
        small()(torch.zeros(1, 9, 16, 2))
