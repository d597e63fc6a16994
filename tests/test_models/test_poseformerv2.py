import math

import pytest
import torch

from sealpose.models.backbones.poseformerv2 import PoseFormerV2, dct_matrix
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published


@pytest.mark.parametrize(
    ('joints', 'frames', 'kept', 'coefficients', 'published'),
    [
        (17, 27, 1, 3, 14_354_649),
        (17, 27, 3, 3, 14_355_739),
        (17, 81, 1, 3, 14_354_649),
        (17, 81, 3, 3, 14_355_739),
        (17, 81, 9, 9, 14_362_279),
        (17, 243, 27, 27, 14_381_899),
        (133, 27, 1, 3, 874_336_309),
    ],
)
def test_published_parameter_counts(joints, frames, kept, coefficients, published):
    with torch.device('meta'):
        model = PoseFormerV2(joints, frames, kept, coefficients)
    assert sum(p.numel() for p in model.parameters()) == published
    assert len(model.state_dict()) == 139


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
    check_golden(small(), expected, frames=9)


def published_weights(joints=5, kept=3, coefficients=4, ratio=8, depth=2):
    """Random weights under the names and shapes of the published files."""
    width = joints * ratio
    shapes = {
        'Spatial_pos_embed': (1, joints, ratio),
        'Temporal_pos_embed': (1, kept, width),
        'Temporal_pos_embed_': (1, coefficients, width),
        'Joint_embedding.weight': (ratio, 2),
        'Freq_embedding.weight': (width, 2 * joints),
        'weighted_mean.weight': (1, coefficients, 1),
        'weighted_mean_.weight': (1, kept, 1),
        'head.1.weight': (3 * joints, 2 * width),
    }
    norms = {'Spatial_norm': ratio, 'Temporal_norm': width, 'head.0': 2 * width}
    blocks = [(f'Spatial_blocks.{i}', ratio, ['mlp']) for i in range(depth)]
    blocks += [(f'blocks.{i}', width, ['mlp1', 'mlp2']) for i in range(depth)]
    for block, dim, mlps in blocks:
        shapes[f'{block}.attn.qkv.weight'] = (3 * dim, dim)
        shapes[f'{block}.attn.proj.weight'] = (dim, dim)
        norms[f'{block}.norm1'] = dim
        for i, mlp in enumerate(mlps):
            norms[f'{block}.norm{i + 2}'] = dim
            shapes[f'{block}.{mlp}.fc1.weight'] = (2 * dim, dim)
            shapes[f'{block}.{mlp}.fc2.weight'] = (dim, 2 * dim)
    shapes |= {f'{name}.weight': (dim,) for name, dim in norms.items()}
    for name in [name for name in shapes if name.endswith('.weight')]:
        shapes[name.replace('.weight', '.bias')] = shapes[name][:1]
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published(
        'PoseFormerV2', weights, tmp_path / 'best.bin', num_frames=9
    )
    assert imported.backbone == dict(
        type='PoseFormerV2', num_joints=5, num_frames=9, kept_frames=3,
        kept_coefficients=4, joint_dims=8, depth=2,
    )  # fmt: skip
    names = {
        'Temporal_pos_embed': 'frame_pos_embed',
        'Temporal_pos_embed_': 'coefficient_pos_embed',
        'Temporal_norm.bias': 'norm.bias',
        'Freq_embedding.weight': 'frequency_embedding.weight',
        'weighted_mean.weight': 'coefficient_mean.weight',
        'weighted_mean_.bias': 'frame_mean.bias',
        'Spatial_blocks.1.mlp.fc2.weight': 'spatial_blocks.1.mlp.fc2.weight',
        'blocks.0.mlp2.fc1.weight': 'blocks.0.mlp2.fc1.weight',
    }
    check_names(imported, weights, names)


@pytest.mark.parametrize(
    ('kept', 'coefficients', 'frames'), [(3, 3, 27), (9, 9, 81), (27, 27, 243)]
)
def test_window_of_published_weights_follows_from_what_they_keep(
    kept, coefficients, frames
):
    settings = PoseFormerV2.official.settings(
        published_weights(kept=kept, coefficients=coefficients)
    )
    assert settings['num_frames'] == frames


def test_window_of_other_weights_is_left_to_the_user():
    assert 'num_frames' not in PoseFormerV2.official.settings(published_weights())


def test_dct_by_the_formula():
    x = torch.randn(5).double()
    spectrum = dct_matrix(5) @ x
    for k in range(5):
        slow = 2 * sum(
            x[n] * math.cos(math.pi * k * (2 * n + 1) / 10) for n in range(5)
        )
        assert spectrum[k].item() == pytest.approx(slow.item(), abs=1e-12)


def test_dct_by_hand():
    root = 2**0.5
    expected = torch.tensor([[2.0, 2.0], [root, -root]]).double()
    torch.testing.assert_close(dct_matrix(2), expected)


def test_transforms_of_a_block_undo_each_other():
    block = small().blocks[0]
    assert block.split == [3, 4]
    product = block.inverse @ block.transform
    torch.testing.assert_close(product, torch.eye(4), atol=1e-6, rtol=0)


def test_only_low_frequencies_of_far_frames_are_seen():
    model = small().eval()
    x = torch.randn(1, 9, 17, 2)
    # The highest frequency of the window, without the central frames.
    ripple = torch.linalg.inv(dct_matrix(9))[:, 8].float()
    ripple = ripple[None, :, None, None].expand_as(x)
    hidden = model._frequencies(x)
    torch.testing.assert_close(hidden, model._frequencies(x + ripple))
    assert not torch.allclose(model(x), model(x + ripple))


def test_samples_are_lifted_alone_and_every_frame_is_seen():
    torch.manual_seed(0)
    model = small(num_joints=5, kept_coefficients=2).double().eval()
    x = torch.randn(2, 9, 5, 2).double()
    assert model(x).shape == (2, 1, 5, 3)
    torch.testing.assert_close(model(x)[1:], model(x[1:]))
    for frame in range(9):
        changed = x.clone()
        changed[:, frame, 3, 1] += 1
        assert not torch.allclose(model(changed), model(x))


def test_central_frames_are_those_around_the_centre():
    torch.manual_seed(0)
    model = small().double().eval()
    x = torch.randn(1, 9, 17, 2).double()
    tokens = model._frames(x)
    assert tokens.shape == (1, 3, 17 * 8)
    for frame in range(9):
        changed = x.clone()
        changed[:, frame] += 1
        touched = (model._frames(changed) != tokens).any(-1)[0]
        assert touched.tolist() == [frame == 3, frame == 4, frame == 5]


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
