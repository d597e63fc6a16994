import pytest
import torch

from sealpose.registry import LOSS_NETS
from sealpose.seal import GraphLossNet, MLPLossNet
from sealpose.skeletons import H36M17, Skeleton

NETS = [
    {'type': 'GraphLossNet', 'embed_dims': 32, 'num_heads': 4, 'depth': 2},
    {'type': 'MLPLossNet', 'hidden_dims': 32},
    {'type': 'MLPLossNet', 'hidden_dims': 32, 'batch_norm': True},
]


def build(config):
    torch.manual_seed(0)
    return LOSS_NETS.build({'skeleton': 'h36m17', **config}).eval()


def batch(*shape, joints=17):
    return torch.randn(*shape, joints, 2), torch.randn(*shape, joints, 3)


@pytest.mark.parametrize(
    ('net', 'count'),
    [
        (lambda: GraphLossNet('h36m17'), 2_185_512),
        (lambda: GraphLossNet('h36m17', depth=6, mlp_ratio=1.0), 2_451_752),
        (lambda: MLPLossNet('h36m17'), 4_287_489),
        (lambda: MLPLossNet('h36m17', batch_norm=True), 4_297_729),
    ],
)
def test_published_parameter_counts(net, count):
    assert sum(p.numel() for p in net().parameters()) == count


@pytest.mark.parametrize(
    ('net', 'fusion', 'count'),
    [
        # The token of a joint lacks 2 of 37 values, at a width of 256.
        (GraphLossNet, 'pose', 2_185_512 - 2 * 256),
        # A second encoder of all but the head, with 1 * 256 weights fewer, and a head
        # that takes both.
        (GraphLossNet, 'late', 2 * (2_185_000 - 66_049) - 256 + 66_049 + 256 * 256),
        # The first layer lacks 34 of 85 values, at a width of 1024.
        (MLPLossNet, 'pose', 4_287_489 - 34 * 1024),
        # All weights are there again, and the second layer has biases.
        (MLPLossNet, 'late', 4_287_489 + 1024),
    ],
)
def test_parameter_counts_of_other_fusions(net, fusion, count):
    net = net('h36m17', fusion=fusion)
    assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize('config', NETS)
@pytest.mark.parametrize('fusion', ['late', 'pose'])
def test_fusion_decides_whether_the_keypoints_matter(config, fusion):
    net, (x, y) = build({**config, 'fusion': fusion}), batch(4, 1)
    other, changed = torch.randn_like(x), y + 0.1
    same_energy = net(x, y) == net(other, y)
    assert same_energy.all() if fusion == 'pose' else not same_energy.any()
    assert (net(x, y) != net(x, changed)).all()
    net(x, y).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


@pytest.mark.parametrize('config', NETS)
def test_late_keypoints_and_pose_meet_in_the_head_alone(config):
    net, (x, y) = build({**config, 'fusion': 'late'}), batch(1, 1)
    seen = []
    encoders = ('encoder', 'keypoint_encoder', 'stem', 'keypoint_stem')
    for name in encoders:
        if hasattr(net, name):
            getattr(net, name).register_forward_pre_hook(
                lambda _, args: seen.append(args[0].flatten())
            )
    net(x, y)
    assert len(seen) == 2
    assert torch.equal(seen[0], y.flatten()) and torch.equal(seen[1], x.flatten())


@pytest.mark.parametrize('net', [GraphLossNet, MLPLossNet])
def test_unknown_fusion_is_named(net):
    with pytest.raises(ValueError, match="early, late, pose, but got 'mid'"):
        net('h36m17', fusion='mid')


@pytest.mark.parametrize('config', NETS)
def test_each_frame_is_scored_on_its_own(config):
    net, (x, y) = build(config), batch(3, 4)
    energy = net(x, y)
    assert energy.shape == (3, 4)
    order = torch.randperm(3)
    torch.testing.assert_close(net(x[order], y[order]), energy[order])
    alone = net(x[1:2, 2:3], y[1:2, 2:3])
    torch.testing.assert_close(alone, energy[1:2, 2:3])
    y[1, 2] += 1
    changed = net(x, y) != energy
    assert changed.nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize('config', NETS)
def test_every_coordinate_and_parameter_counts(config):
    net, (x, y) = build(config), batch(4, 1)
    x.requires_grad_()
    y.requires_grad_()
    net(x, y).square().sum().backward()
    assert (x.grad != 0).all() and (y.grad != 0).all()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


@pytest.mark.parametrize('config', NETS[:2])
@pytest.mark.parametrize(
    ('x_shape', 'y_shape'),
    [
        ((2, 1, 16, 2), (2, 1, 16, 3)),
        ((2, 17, 2), (2, 17, 3)),
        ((2, 1, 17, 3), (2, 1, 17, 3)),
        ((2, 27, 17, 2), (2, 1, 17, 3)),
    ],
)
def test_wrong_shapes_are_named(config, x_shape, y_shape):
    with pytest.raises(ValueError) as error:
        build(config)(torch.zeros(x_shape), torch.zeros(y_shape))
    message = str(error.value)
    for part in ("'h36m17'", '(batch, frames, 17, 2)', str(x_shape), str(y_shape)):
        assert part in message


def test_last_block_at_the_virtual_node_equals_the_whole_block():
    net = build(NETS[0]).double()
    x, y = (part.double() for part in batch(5))
    tokens, bias = net.encoder.embed(torch.cat([x, y], -1)), net.encoder.graph_bias()
    for block in net.encoder.blocks:
        tokens = block(tokens, bias)
    whole = net.head(net.encoder.norm(tokens))[:, 0, 0]
    torch.testing.assert_close(net.score(x, y), whole, rtol=1e-12, atol=1e-12)


def test_attention_equals_softmax_of_biased_scores():
    net = build(NETS[0]).double()
    block, bias = net.encoder.blocks[0], net.encoder.graph_bias()
    tokens = torch.randn(3, 18, 32, dtype=torch.float64)
    query, key, value = (
        part.reshape(3, 18, 4, 8).transpose(1, 2)
        for part in (block.query(tokens), block.key(tokens), block.value(tokens))
    )
    attention = (query @ key.transpose(-2, -1) / 8**0.5 + bias).softmax(-1)
    expected = block.proj((attention @ value).transpose(1, 2).reshape(3, 18, 32))
    torch.testing.assert_close(block._attend(tokens, bias), expected)


def test_initial_bias_by_hand():
    bias = GraphLossNet('h36m17').encoder.graph_bias()
    assert bias.shape == (1, 1, 18, 18)
    bias = bias[0, 0].detach()
    assert not bias[0].any() and not bias[:, 0].any()
    token = {name: 1 + i for i, name in enumerate(H36M17.joint_names)}
    # Degrees: pelvis 3, right hip 2, right knee 2, ankles 1, thorax 4 (the largest).
    pelvis, hip, knee = token['pelvis'], token['right_hip'], token['right_knee']
    ankle, thorax = token['right_ankle'], token['thorax']
    expected = {
        (pelvis, hip): -0.8 + 0.2 * 5 / 4,
        (pelvis, knee): -2 * 0.8 - 2 + 0.2 * 5 / 4,
        (ankle, thorax): -5 * 0.8 - 2 + 0.2 * 5 / 4,
        # A joint is no edge to itself, yet not penalised for it.
        (ankle, ankle): 0.2 * 2 / 4,
        (thorax, thorax): 0.2 * 8 / 4,
    }
    for (i, j), value in expected.items():
        assert bias[i, j].item() == pytest.approx(value, abs=1e-6)
    torch.testing.assert_close(bias, bias.T)


def test_bias_is_built_once_per_forward():
    net, calls = build({'type': 'GraphLossNet'}), []
    net.encoder.graph_bias.register_forward_hook(lambda *args: calls.append(1))
    net(*batch(2, 3))
    assert len(calls) == 1


def test_couplings_reach_the_virtual_node_alone():
    bias = GraphLossNet('h36m17').encoder.graph_bias
    names = list(bias.INITIAL)
    with torch.no_grad():
        bias.weights.zero_()
        for value, name in enumerate(('from_node', 'to_node', 'self'), start=1):
            bias.weights[names.index(name)] = value
    matrix = bias()[0, 0]
    assert matrix[0, 0] == 3
    assert (matrix[0, 1:] == 1).all() and (matrix[1:, 0] == 2).all()
    assert not matrix[1:, 1:].any()


def test_any_skeleton_serves():
    chain = Skeleton('chain', {'a': None, 'b': 'a', 'c': 'b'})
    for net in (GraphLossNet(chain, 16, 2, 1), MLPLossNet(chain, 16)):
        assert net(*batch(2, 5, joints=3)).shape == (2, 5)


def test_width_must_divide_into_heads():
    with pytest.raises(ValueError, match='got 30 and 8'):
        GraphLossNet('h36m17', embed_dims=30)


def test_many_poses_are_scored_in_parts_as_alone():
    net = build(NETS[0]).double().eval()
    x, y = (part.double() for part in batch(67, 1))
    alone = torch.stack([net(x[i : i + 1], y[i : i + 1])[0] for i in (0, 63, 64, 66)])
    torch.testing.assert_close(net(x, y)[[0, 63, 64, 66]], alone)
