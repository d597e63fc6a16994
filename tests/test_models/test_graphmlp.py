import pytest
import torch

from sealpose.engine.official_weights import import_official
from sealpose.models.backbones.graphmlp import GraphMLP, partitioned_graph
from sealpose.skeletons import get_skeleton
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names

SMALL = dict(embed_dims=16, depth=2, token_dims=8, channel_dims=24)
# Of h36m17: joint to its neighbours farther from the spine.
OUTWARDS = {0: (1, 4), 1: (2,), 2: (3,), 4: (5,), 5: (6,), 7: (0, 8), 8: (9, 11, 14)}
OUTWARDS |= {9: (10,), 11: (12,), 12: (13,), 14: (15,), 15: (16,)}
MIRRORED = ((1, 4), (2, 5), (3, 6), (11, 14), (12, 15), (13, 16))


def graph_by_hand():
    """The four parts as lists of links (from, to), then normalised by column."""
    inwards = [(far, near) for near, fars in OUTWARDS.items() for far in fars]
    parts = torch.zeros(4, 17, 17)
    for part, links in enumerate(
        (
            [(joint, joint) for joint in range(17)],
            inwards,
            [(near, far) for far, near in inwards],
            [*MIRRORED, *((b, a) for a, b in MIRRORED)],
        )
    ):
        for source, target in links:
            parts[part, source, target] = 1
    return parts / parts.sum(dim=(0, 1))


def published_weights(frames, width=16, depth=2):
    """Random weights under the names and shapes of the published files."""
    shapes = {
        'embedding.weight': (width, 2 * frames),
        'mlp_gcn.norm.weight': (width,),
        'head.weight': (3, width),
    }
    inner = '.0' if frames > 1 else ''
    graphs = ['A']
    for i in range(depth):
        block = f'mlp_gcn.blocks.{i}'
        graphs += [f'{block}.adj', f'{block}.gcn_1.adj', f'{block}.gcn_2.adj']
        shapes[f'{block}.norm1.weight'] = (17,)
        shapes[f'{block}.norm2.weight'] = (width,)
        shapes[f'{block}.gcn_1.conv.weight'] = (4 * width, width, 1, 1)
        shapes[f'{block}.gcn_2.conv.weight'] = (4 * width, width, 1, 1)
        shapes[f'{block}.mlp_1.fc1{inner}.weight'] = (8, 17)
        shapes[f'{block}.mlp_1.fc2{inner}.weight'] = (17, 8)
        if frames > 1:
            shapes[f'{block}.mlp_1.fc1.1.weight'] = (8,)
            shapes[f'{block}.mlp_1.fc2.1.weight'] = (17,)
        shapes[f'{block}.mlp_2.fc1.weight'] = (24, width)
        shapes[f'{block}.mlp_2.fc2.weight'] = (width, 24)
    for name in list(shapes):
        shapes[name.replace('.weight', '.bias')] = shapes[name][:1]
    weights = {name: torch.randn(shape) for name, shape in shapes.items()}
    return {**weights, **{name: graph_by_hand() for name in graphs}}


# The published counts include the graph, 4 x 17 x 17 frozen values; ours computes it.
@pytest.mark.parametrize(
    ('frames', 'published'),
    [(1, 9_489_440), (27, 9_517_702), (81, 9_572_998), (243, 9_738_886)],
)
def test_published_parameter_counts(frames, published):
    with torch.device('meta'):
        model = GraphMLP(num_frames=frames)
    learned = sum(parameter.numel() for parameter in model.parameters())
    assert learned + model.adjacency.numel() == published
    assert model.adjacency.numel() == 1_156


@pytest.mark.parametrize(
    ('frames', 'expected'),
    [
        (
            1,
            [
                [0.39009323904, 0.36125620625, 0.28524413602],
                [0.04544011687, 0.1658819178, 0.26463722477],
                [0.44266607013, 0.49064692429, 0.47457242143],
            ],
        ),
        (
            9,
            [
                [-0.57532408188, -0.55401059042, -0.46017679771],
                [-0.53249065854, -0.58397347099, -0.55902702562],
                [0.4985755403, 0.41553240855, 0.27852294293],
            ],
        ),
    ],
)
def test_golden_output(frames, expected):
    model = GraphMLP(num_frames=frames, **SMALL)
    check_golden(model, expected, frames)


@pytest.mark.parametrize('frames', [1, 9])
def test_published_weights_are_imported_to_the_last_tensor(tmp_path, frames):
    weights = published_weights(frames)
    file = tmp_path / 'model_19_4450.pth'
    torch.save(weights, file)
    imported = import_official('GraphMLP', file)
    assert imported.backbone == dict(type='GraphMLP', num_frames=frames, **SMALL)
    graphs = {name for name in weights if name == 'A' or name.endswith('adj')}
    assert set(imported.left_out) == graphs
    inner = '.0' if frames > 1 else ''
    expected = {
        f'mlp_gcn.blocks.1.mlp_1.fc2{inner}.bias': 'blocks.1.token_mlp.fc2.bias',
        'mlp_gcn.blocks.0.gcn_2.conv.weight': 'blocks.0.channel_gcn.conv.weight',
        'mlp_gcn.norm.bias': 'norm.bias',
    }
    if frames > 1:
        theirs = 'mlp_gcn.blocks.0.mlp_1.fc1.1.weight'
        expected[theirs] = 'blocks.0.token_mlp.norm1.weight'
    taken = {name: weights[name] for name in weights.keys() - graphs}
    check_names(imported, taken, expected)


def test_weights_of_another_graph_are_refused(tmp_path):
    weights = published_weights(1)
    weights['mlp_gcn.blocks.1.gcn_2.adj'][1, 4, 0] = 0
    torch.save(weights, tmp_path / 'model.pth')
    with pytest.raises(ValueError, match='constant mlp_gcn.blocks.1.gcn_2.adj'):
        import_official('GraphMLP', tmp_path / 'model.pth')


def test_graph_by_hand():
    graph = partitioned_graph(get_skeleton('h36m17'))
    torch.testing.assert_close(graph, graph_by_hand())
    # The left hip: itself, its knee, the pelvis and the right hip.
    links = [(0, 4), (1, 5), (2, 0), (3, 1)]
    assert [graph[part, joint, 4].item() for part, joint in links] == [0.25] * 4


@pytest.mark.parametrize('skeleton', ['h36m16', 'coco17', 'openpose25'])
def test_graph_of_other_skeletons(skeleton):
    skeleton = get_skeleton(skeleton)
    graph = partitioned_graph(skeleton)
    torch.testing.assert_close(graph.sum((0, 1)), torch.ones(skeleton.num_joints))
    assert ((graph > 0).sum(0) <= 1).all()
    model = GraphMLP(skeleton, num_frames=3, **SMALL)
    x = torch.zeros(2, 3, skeleton.num_joints, 2)
    assert model(x).shape == (2, 1, skeleton.num_joints, 3)


def test_graph_convolution_sums_its_parts():
    torch.manual_seed(0)
    conv = GraphMLP(**SMALL).blocks[0].token_gcn
    x = torch.randn(2, 17, 16)
    weights = conv.conv.weight.view(4, 16, 16)
    biases = conv.conv.bias.view(4, 16)
    expected = torch.zeros(2, 17, 16)
    for graph, weight, bias in zip(graph_by_hand(), weights, biases, strict=True):
        for source, target in graph.nonzero().tolist():
            message = x[:, source] @ weight.T + bias
            expected[:, target] += graph[source, target] * message
    torch.testing.assert_close(conv(x), expected)


def test_samples_are_lifted_alone_and_from_their_whole_window():
    torch.manual_seed(0)
    model = GraphMLP(num_frames=5, **SMALL).double().eval()
    x = torch.randn(2, 5, 17, 2).double()
    torch.testing.assert_close(model(x)[1:], model(x[1:]))
    for frame in range(5):
        changed = x.clone()
        changed[:, frame, 3, 1] += 1
        assert not torch.allclose(model(changed), model(x))


def test_dropout_and_drop_path_work_in_training_only():
    torch.manual_seed(0)
    model = GraphMLP(**SMALL)
    assert [block.drop_path.drop_prob for block in model.blocks] == [0, 0.2]
    x = torch.randn(4, 1, 17, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_refuses_other_windows():
    model = GraphMLP(num_frames=9, **SMALL)
    with pytest.raises(ValueError, match='window of 8 frames.*num_frames=9'):
        model(torch.zeros(1, 8, 17, 2))
    with pytest.raises(ValueError, match='17 joints'):
        model(torch.zeros(1, 9, 16, 2))
