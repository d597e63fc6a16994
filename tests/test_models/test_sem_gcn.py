import pytest
import torch

from sealpose.models.backbones.sem_gcn import NonLocal, SemGCN, SemGraphConv
from sealpose.skeletons import Skeleton, get_skeleton
from tests.test_models.golden import check_golden


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


def chain(joints):
    names = [f'joint{i}' for i in range(joints)]
    return Skeleton('chain', dict(zip(names, [None, *names], strict=False)))


@pytest.mark.parametrize(
    ('settings', 'published'),
    [
        (dict(skeleton='h36m16'), 267_343),
        (dict(skeleton='h36m16', non_local=True), 434_703),
        (dict(skeleton='h36m17'), 267_373),
        (dict(skeleton=chain(133)), 270_853),
    ],
)
def test_parameters_are_as_many_as_published(settings, published):
    assert num_parameters(SemGCN(**settings)) == published


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (
            dict(),
            [
                [0.03276627, 0.01671363, -0.00160112],
                [0.03217462, 0.01678029, -0.00088518],
                [0.03284169, 0.0183875, 0.00144466],
            ],
        ),
        (
            dict(skeleton='h36m16', non_local=True),
            [
                [0.0226249, 0.03752704, 0.04735006],
                [0.01665744, 0.03084536, 0.0408585],
                [0.01797198, 0.0323469, 0.04234382],
            ],
        ),
    ],
)
def test_output_for_given_parameters_does_not_drift(settings, expected):
    model = SemGCN(channels=32, num_layers=2, **settings)
    check_golden(model, expected, joints=(0, 9, -1), num_joints=model.num_joints)


def test_graph_convolution_by_hand():
    adjacency = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 1]]).bool()
    conv = SemGraphConv(1, 1, adjacency)
    with torch.no_grad():
        # Rows of the edges: (0,0) (0,1) / (1,0) (1,1) (1,2) / (2,1) (2,2).
        weights = [1.0, 3.0, 1.0, 2.0, 1.0, 4.0, 1.0]
        conv.edge_scores.copy_(torch.tensor([weights]).log())
        conv.weight.copy_(torch.tensor([10.0, 1.0]).view(2, 1, 1))
        conv.bias.fill_(0.5)
        y = conv(torch.tensor([4.0, 8.0, 20.0]).view(3, 1, 1)).flatten()
    # Joint 0: 10 * 4/4 + 3/4 * 8; joint 1: 10 * 8/2 + (4 + 20)/4; joint 2: 10 * 20/5
    # + 4/5 * 8; plus the bias.
    torch.testing.assert_close(y, torch.tensor([16.5, 46.5, 46.9]))


@pytest.mark.parametrize('num_layers', [0, 1])
def test_a_joint_sees_no_further_than_there_are_convolutions(num_layers):
    model = SemGCN('h36m17', channels=8, num_layers=num_layers).double().eval()
    convolutions = 2 + 2 * num_layers
    hops = torch.from_numpy(get_skeleton('h36m17').hop_distances)
    x = torch.randn(1, 1, 17, 2).double()
    for joint in (0, 9, 16):
        moved = x.clone()
        moved[0, 0, joint] += 1
        changed = (model(moved) != model(x)).any(-1)[0, 0]
        assert not changed[hops[joint] > convolutions].any()
        assert changed[joint]


def test_each_frame_is_lifted_alone():
    model = SemGCN('h36m16', channels=16, non_local=True).double().eval()
    for module in model.modules():
        if isinstance(module, NonLocal):
            torch.nn.init.ones_(module.norm.weight)
    x = torch.randn(2, 3, 16, 2).double()
    one_by_one = torch.stack([model(x[:, t : t + 1])[:, 0] for t in range(3)], 1)
    torch.testing.assert_close(model(x), one_by_one)


def test_non_local_layer_is_what_its_formula_says():
    torch.manual_seed(0)
    groups = torch.tensor([[0, 3], [2, 1]])
    layer = NonLocal(4, groups).double().eval()
    layer.norm.weight.data.uniform_(1, 2)
    layer.norm.running_mean.uniform_(-1, 1)
    x = torch.randn(5, 3, 4).double()

    def conv(module, value):
        return module.weight[..., 0] @ value + module.bias

    expected = torch.empty_like(x)
    w = layer.affinity.weight.flatten()
    for j in range(5):
        for n in range(3):
            total = torch.zeros(2).double()
            for group in groups.tolist():
                a, b = (conv(layer.phi, x[i, n]) for i in group)
                c, d = (conv(layer.g, x[i, n]) for i in group)
                theta = conv(layer.theta, x[j, n])
                affinity = w @ torch.cat([theta, torch.maximum(a, b)])
                total += affinity.clamp(min=0) / 2 * torch.maximum(c, d)
            y = conv(layer.project, total)
            norm = layer.norm
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            expected[j, n] = x[j, n] + (y - norm.running_mean) * scale + norm.bias
    torch.testing.assert_close(layer(x), expected)


def test_non_local_layers_start_as_the_identity():
    x = torch.randn(16, 2, 8)
    assert torch.equal(NonLocal(8, torch.tensor([[0, 1], [2, 3]]))(x), x)


def test_groups_must_be_known_and_equal():
    with pytest.raises(ValueError, match=r"give the groups of 'h36m17'"):
        SemGCN('h36m17', non_local=True)
    with pytest.raises(ValueError, match='same size'):
        SemGCN('h36m17', non_local=True, groups=[[0, 1], [2]])
    with pytest.raises(ValueError, match='from 0 to 16'):
        SemGCN('h36m17', non_local=True, groups=[[0, 17]])
    assert SemGCN('h36m17', 8, non_local=True, groups=[[0, 1], [2, 3]])


def test_another_number_of_joints_is_refused():
    with pytest.raises(ValueError, match='built for 16 joints'):
        SemGCN('h36m16', channels=8)(torch.zeros(1, 1, 17, 2))


@pytest.mark.parametrize(
    ('edges', 'skeleton'),
    [(46, 'h36m16'), (49, 'h36m17'), (397, 'coco_wholebody133'), (43, None)],
)
def test_settings_come_from_the_shapes_of_official_weights(edges, skeleton):
    state = {
        'gconv_output.W': torch.zeros(2, 24, 3),
        'gconv_output.e': torch.zeros(1, edges),
        'gconv_input.1.nonlocal.theta.bias': torch.zeros(12),
        'gconv_layers.0.gconv2.gconv.W': torch.zeros(2, 24, 24),
        'gconv_layers.2.gconv2.gconv.W': torch.zeros(2, 24, 24),
    }
    settings = SemGCN.official.settings(state)
    assert settings.get('skeleton') == skeleton
    assert (settings['channels'], settings['num_layers']) == (24, 2)
    assert settings['non_local']
