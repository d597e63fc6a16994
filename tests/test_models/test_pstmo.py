import pytest
import torch

from sealpose.models.backbones.pstmo import PSTMO, UnbiasedLayerNorm
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published


@pytest.mark.parametrize(
    ('frames', 'depth', 'published'),
    [
        (27, 3, 4_682_598),
        (81, 3, 5_527_142),
        (243, 3, 6_482_278),
        (243, 4, 7_009_382),
    ],
)
def test_published_parameter_counts(frames, depth, published):
    with torch.device('meta'):
        model = PSTMO(num_frames=frames, depth=depth)
    assert sum(p.numel() for p in model.parameters()) == published


def small(**settings):
    settings = {
        'num_frames': 9, 'embed_dims': 16, 'ffn_dims': 24, 'depth': 1, 'num_heads': 2,
        **settings,
    }  # fmt: skip
    return PSTMO(**settings)


def test_golden_output():
    expected = [
        [-0.0027885, -0.1145015, -0.2110993],
        [0.0451297, 0.1523894, 0.2395626],
        [0.2989363, 0.2567957, 0.1810867],
    ]
    check_golden(small(), expected, frames=9)


def published_weights(joints=5, frames=9, width=16, hidden=24, depth=2):
    """Random weights under the names and shapes of the published files."""
    weights = {'Transformer.pos_embedding': torch.randn(1, frames, width)}
    for i in (1, 2, 3):
        name = f'Transformer_reduce.model.pos_embedding_{i}'
        weights[name] = torch.randn(1, frames, width)
    shapes = {
        'encoder.fc_1': (2 * width, 2 * joints, 1),
        'encoder.layers.0.w1': (2 * width, 2 * width, 1),
        'encoder.layers.0.w2': (2 * width, 2 * width, 1),
        'encoder.fc_2': (width, 2 * width, 1),
        'fcn.1': (3 * joints, width, 1),
        'fcn_1.1': (3 * joints, width, 1),
    }
    layers = [(f'Transformer.model.layers.{i}', (), ()) for i in range(depth)]
    layers += [(f'Transformer_reduce.model.layers.{i}', (1,), (3,)) for i in range(3)]
    norms = ['Transformer.model.norm', 'Transformer_reduce.model.norm']
    for layer, kernel1, kernel2 in layers:
        shapes[f'{layer}.feed_forward.w_1'] = (hidden, width, *kernel1)
        shapes[f'{layer}.feed_forward.w_2'] = (width, hidden, *kernel2)
        for i in range(4):
            shapes[f'{layer}.self_attn.linears.{i}'] = (width, width)
        norms += [f'{layer}.sublayer.0.norm', f'{layer}.sublayer.1.norm']
    for name, shape in shapes.items():
        weights[f'{name}.weight'] = torch.randn(shape)
        weights[f'{name}.bias'] = torch.randn(shape[:1])
    for norm in norms:
        weights[f'{norm}.a_2'], weights[f'{norm}.b_2'] = torch.randn(2, width)
    doubled = ['encoder.bn_1', *(f'encoder.layers.0.batch_norm{i}' for i in (1, 2))]
    for norm in [*doubled, 'fcn.0', 'fcn_1.0']:
        dim = 2 * width if norm in doubled else width
        for entry in ('weight', 'bias', 'running_mean', 'running_var'):
            weights[f'{norm}.{entry}'] = torch.rand(dim)
        weights[f'{norm}.num_batches_tracked'] = torch.tensor(7)
    return weights


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published(
        'PSTMO', weights, tmp_path / 'no_refine_28_4306.pth', key=None
    )
    assert imported.backbone == dict(
        type='PSTMO', num_joints=5, num_frames=9, embed_dims=16, ffn_dims=24, depth=2
    )
    strided = 'Transformer_reduce.model'
    names = {
        'encoder.layers.0.batch_norm2.running_var': 'encoder.batch_norm2.running_var',
        'Transformer.pos_embedding': 'transformer.pos_embedding',
        f'{strided}.pos_embedding_3': 'strided.pos_embeddings.3',
        'Transformer.model.layers.1.sublayer.0.norm.a_2': (
            'transformer.layers.1.norm1.weight'
        ),
        f'{strided}.layers.2.sublayer.1.norm.b_2': 'strided.layers.2.norm2.bias',
        'Transformer.model.layers.0.self_attn.linears.2.weight': (
            'transformer.layers.0.attn.v.weight'
        ),
        f'{strided}.layers.0.self_attn.linears.3.bias': (
            'strided.layers.0.attn.proj.bias'
        ),
        f'{strided}.layers.1.feed_forward.w_2.weight': (
            'strided.layers.1.ffn.fc2.weight'
        ),
        'fcn.1.weight': 'head.1.weight',
        'fcn_1.1.weight': 'all_frames_head.1.weight',
    }
    check_names(imported, weights, names)


def test_norm_by_the_slow_formula():
    torch.manual_seed(0)
    norm = UnbiasedLayerNorm(8).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(3, 5, 8, dtype=torch.float64, requires_grad=True)
    expected = norm.weight * (x - x.mean(-1, keepdim=True))
    expected = expected / (x.std(-1, keepdim=True) + 1e-6) + norm.bias
    torch.testing.assert_close(norm(x), expected)
    weights = torch.randn(3, 5, 8).double()
    slow = torch.autograd.grad((expected * weights).sum(), x)
    torch.testing.assert_close(torch.autograd.grad((norm(x) * weights).sum(), x), slow)


def test_norm_of_equal_channels_is_its_bias():
    norm = UnbiasedLayerNorm(4)
    torch.nn.init.normal_(norm.bias)
    x = torch.full((2, 4), 3.0, requires_grad=True)
    y = norm(x)
    torch.testing.assert_close(y, norm.bias.expand(2, 4))
    y.sum().backward()
    assert x.grad.isfinite().all()


def test_norm_by_hand():
    norm = UnbiasedLayerNorm(3)
    with torch.no_grad():
        norm.weight.fill_(2.0)
        norm.bias.fill_(1.0)
    # Deviation of 1, 2, 6 with n - 1: sqrt((4 + 1 + 9) / 2) = sqrt(7).
    expected = torch.tensor([-2.0, -1.0, 3.0]) / (7**0.5 + 1e-6) * 2 + 1
    torch.testing.assert_close(norm(torch.tensor([1.0, 2.0, 6.0])), expected)


def test_training_also_predicts_every_frame():
    torch.manual_seed(0)
    model = small(dropout=0.0)
    x, target = torch.randn(4, 9, 17, 2), torch.randn(4, 9, 17, 3)
    pose, losses = model.forward_train(x, target)
    assert model.target_frames == 9
    assert pose.shape == (4, 1, 17, 3)
    assert set(losses) == {'all_frames'}
    # With a head of zeros every joint is predicted at the origin.
    with torch.no_grad():
        for parameter in model.all_frames_head[1].parameters():
            parameter.zero_()
    error = model.forward_train(x, target)[1]['all_frames']
    torch.testing.assert_close(error, target.norm(dim=-1).mean())


def test_training_predicts_the_centre_as_forward_does():
    model = small()
    x, target = torch.randn(4, 9, 17, 2), torch.randn(4, 9, 17, 3)
    torch.manual_seed(1)
    expected = model(x)
    torch.manual_seed(1)
    assert torch.equal(model.forward_train(x, target)[0], expected)


def test_truth_of_the_centre_alone_is_refused():
    message = r'wants a truth of \(4, 9, 17, 3\), got \(4, 1, 17, 3\)'
    with pytest.raises(ValueError, match=message):
        small().forward_train(torch.randn(4, 9, 17, 2), torch.randn(4, 1, 17, 3))


def test_forward_skips_the_head_on_all_frames():
    model = small()
    calls = []
    model.all_frames_head.register_forward_hook(lambda *_: calls.append(1))
    x = torch.randn(4, 9, 17, 2)
    model(x)
    assert not calls
    model.forward_train(x, torch.randn(4, 9, 17, 3))
    assert calls == [1]


def test_every_parameter_learns_but_those_that_were_never_used():
    model = small()
    pose, losses = model.forward_train(
        torch.randn(4, 9, 17, 2), torch.randn(4, 9, 17, 3)
    )
    (pose.sum() + losses['all_frames']).backward()
    still = {name for name, p in model.named_parameters() if p.grad is None}
    assert still == {
        f'{part}.norm.{name}'
        for part in ('transformer', 'strided')
        for name in ('weight', 'bias')
    }


@pytest.mark.parametrize(
    ('frames', 'strides'),
    [(9, [1, 3, 3]), (27, [3, 3, 3]), (81, [3] * 4), (243, [3] * 5), (351, [3, 9, 13])],
)
def test_published_strides(frames, strides):
    with torch.device('meta'):
        model = PSTMO(num_frames=frames)
    assert [layer.stride for layer in model.strided.layers] == strides
    assert [layer.ffn.fc2.stride for layer in model.strided.layers] == [
        (stride,) for stride in strides
    ]


def test_strides_lead_to_one_frame():
    model = small(num_frames=13, strides=(5, 3)).eval()
    x = torch.randn(2, 13, 17, 2)
    lengths = []
    for layer in model.strided.layers:
        layer.register_forward_hook(lambda *args: lengths.append(args[2].shape[1]))
    assert model(x).shape == (2, 1, 17, 3)
    assert lengths == [3, 1]
    assert len(model.strided.pos_embeddings) == 2
    with pytest.raises(ValueError, match=r'\(3, 3\) leave 3 of 27 frames'):
        small(num_frames=27, strides=(3, 3))
    with pytest.raises(ValueError, match='no published strides for 15 frames'):
        small(num_frames=15)


def test_strided_layer_keeps_and_merges_as_by_hand():
    torch.manual_seed(0)
    layer = small(dropout=0.0).strided.layers[1].double()
    x = torch.randn(1, 9, 16).double()
    attended = x + layer.attn(layer.norm1(x))
    hidden = layer.norm2(attended) @ layer.ffn.fc1.weight[..., 0].T
    hidden = (hidden + layer.ffn.fc1.bias).relu()
    for i in range(3):
        # Three frames around every third, nothing before the first.
        merged = layer.ffn.fc2.bias.clone()
        for tap in (-1, 0, 1):
            if 3 * i + tap >= 0:
                weight = layer.ffn.fc2.weight[..., tap + 1]
                merged += weight @ hidden[0, 3 * i + tap]
        torch.testing.assert_close(layer(x)[0, i], attended[0, 3 * i] + merged)


def test_eval_is_deterministic_and_agrees_with_training_without_dropout():
    torch.manual_seed(0)
    model = small()
    x = torch.randn(4, 9, 17, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_written_out_attention_is_the_fused_one():
    attention = small().strided.layers[0].attn
    x = torch.randn(2, 9, 16)
    attention.drop = 1e-12
    torch.testing.assert_close(attention.train()(x), attention.eval()(x))


def test_other_windows_and_joints_are_refused():
    with pytest.raises(ValueError, match='windows of 9 frames, got 8'):
        small()(torch.zeros(1, 8, 17, 2))
    with pytest.raises(ValueError, match='built for 17 joints'):
        small()(torch.zeros(1, 9, 16, 2))
