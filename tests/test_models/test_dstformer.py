import pytest
import torch

from sealpose.models.backbones.dstformer import (
    DSTformer,
    Fusion,
    SpatialAttention,
    TemporalAttention,
    attend,
)
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published
from tests.test_models.window_checks import check_confidence, check_reach, check_tables

SMALL = dict(num_frames=9, max_frames=12, embed_dims=32, depth=2, num_heads=4)


def with_random_weights(**settings):
    torch.manual_seed(0)
    model = DSTformer(**{**SMALL, **settings}).double().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def published_weights(joints=5, frames=7, width=16, depth=3):
    """Random weights under the names and shapes of the published files."""
    shapes = {
        'temp_embed': (1, frames, 1, width),
        'pos_embed': (1, joints, width),
        'joints_embed.weight': (width, 3),
        'pre_logits.fc.weight': (512, width),
        'head.weight': (3, 512),
        'norm.weight': (width,),
    }
    for i in range(depth):
        shapes[f'ts_attn.{i}.weight'] = (2, 2 * width)
        for block in (f'blocks_st.{i}', f'blocks_ts.{i}'):
            for axis in 'st':
                shapes[f'{block}.norm1_{axis}.weight'] = (width,)
                shapes[f'{block}.norm2_{axis}.weight'] = (width,)
                shapes[f'{block}.attn_{axis}.qkv.weight'] = (3 * width, width)
                shapes[f'{block}.attn_{axis}.proj.weight'] = (width, width)
                shapes[f'{block}.mlp_{axis}.fc1.weight'] = (4 * width, width)
                shapes[f'{block}.mlp_{axis}.fc2.weight'] = (width, 4 * width)
    for name in [name for name in shapes if name.endswith('.weight')]:
        shapes[name.replace('.weight', '.bias')] = shapes[name][:1]
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def slow_attention(x, layer):
    """Attention over the tokens of ``x`` (N, C), token by token."""
    q, k, v = layer.qkv(x).unflatten(-1, (3, layer.num_heads, -1)).unbind(1)
    out = torch.empty_like(q)
    for head in range(layer.num_heads):
        for token, query in enumerate(q[:, head]):
            scores = (k[:, head] * query).sum(-1) / q.shape[-1] ** 0.5
            weights = scores.exp() / scores.exp().sum()
            out[token, head] = (weights[:, None] * v[:, head]).sum(0)
    return layer.proj(out.flatten(1))


@pytest.mark.parametrize(
    ('settings', 'published'),
    [({}, 42_466_317), (dict(embed_dims=256, mlp_ratio=4), 16_001_549)],
)
def test_published_parameter_counts(settings, published):
    with torch.device('meta'):
        model = DSTformer(**settings)
    assert sum(parameter.numel() for parameter in model.parameters()) == published
    assert len(model.state_dict()) == 260


def test_golden_output():
    expected = [
        [-0.33699093908, 0.0499798736, 0.41972191247],
        [-0.31227101155, 0.0496167652, 0.39457628074],
        [-0.32498139266, 0.05665543359, 0.41553874376],
    ]
    check_golden(DSTformer(**SMALL), expected, frames=9)


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published('DSTformer', weights, tmp_path / 'best_epoch.bin')
    assert imported.backbone == dict(
        type='DSTformer',
        num_joints=5,
        num_frames=7,
        max_frames=7,
        embed_dims=16,
        depth=3,
        mlp_ratio=4,
    )
    names = {
        'blocks_st.2.attn_t.qkv.weight': 'layers.2.st.t.attn.qkv.weight',
        'blocks_ts.0.mlp_s.fc2.bias': 'layers.0.ts.s.mlp.fc2.bias',
        'ts_attn.1.weight': 'layers.1.fusion.weight',
        'temp_embed': 'temporal_pos_embed',
        'pre_logits.fc.weight': 'representation.weight',
    }
    check_names(imported, weights, names)


def test_the_streams_differ_in_their_order():
    layer = DSTformer(**SMALL).layers[0]
    assert [name for name, _ in layer.st.named_children()] == ['s', 't']
    assert [name for name, _ in layer.ts.named_children()] == ['t', 's']


# Above 32 tokens the fused kernel takes over.
@pytest.mark.parametrize(('frames', 'joints'), [(4, 5), (40, 3), (3, 40)])
@pytest.mark.parametrize('qkv_bias', [False, True])
def test_attention_runs_along_its_axis(frames, joints, qkv_bias):
    torch.manual_seed(0)
    x = torch.randn(2, frames, joints, 8).double()
    spatial = SpatialAttention(8, 2, qkv_bias=qkv_bias).double()
    temporal = TemporalAttention(8, 2, qkv_bias=qkv_bias).double()
    torch.testing.assert_close(spatial(x)[1, 2], slow_attention(x[1, 2], spatial))
    expected = slow_attention(x[1, :, 2], temporal)
    torch.testing.assert_close(temporal(x)[1, :, 2], expected)


def test_attention_drops_weights_on_demand():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 2, 5, 4)
    assert not torch.allclose(attend(q, k, v, dropout=0.5), attend(q, k, v))


def test_fusion_starts_as_the_mean_and_is_a_softmax_of_two():
    torch.manual_seed(0)
    fusion = Fusion(6)
    a, b = torch.randn(2, 3, 5, 6)
    torch.testing.assert_close(fusion(a, b), (a + b) / 2)
    torch.nn.init.normal_(fusion.weight)
    torch.nn.init.normal_(fusion.bias)
    logits = torch.cat([a, b], -1) @ fusion.weight.T + fusion.bias
    share_a, share_b = logits.exp().div(logits.exp().sum(-1, True)).chunk(2, -1)
    torch.testing.assert_close(fusion(a, b), share_a * a + share_b * b)


def test_joints_and_frames_differ_by_their_tables_alone():
    check_tables(with_random_weights())


def test_samples_are_lifted_alone_and_each_token_sees_its_whole_window():
    check_reach(with_random_weights())


def test_keypoints_without_confidence_count_as_certain():
    check_confidence(with_random_weights())


def test_takes_any_window_up_to_its_table():
    model = with_random_weights()
    for frames in (1, 5, 12):
        assert model(torch.zeros(2, frames, 17, 2).double()).shape[1] == frames
    with pytest.raises(ValueError, match='window of 13 frames.*max_frames=12'):
        model(torch.zeros(1, 13, 17, 2).double())
    with pytest.raises(ValueError, match='17 joints'):
        model(torch.zeros(1, 9, 16, 2).double())
    with pytest.raises(ValueError, match='num_frames=300 exceeds max_frames=243'):
        DSTformer(num_frames=300)
