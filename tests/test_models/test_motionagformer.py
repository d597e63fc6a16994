import pytest
import torch

from sealpose.models.backbones.motionagformer import MotionAGFormer, similarity_graph
from sealpose.skeletons import get_skeleton
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published
from tests.test_models.window_checks import check_confidence

SMALL = dict(num_frames=9, depth=2, embed_dims=16, num_heads=4)


def with_random_weights(**settings):
    """All but what tells nodes apart: batch norms and the table of joints."""
    torch.manual_seed(0)
    model = MotionAGFormer(**{**SMALL, **settings}).double().eval()
    for name, parameter in model.named_parameters():
        if 'batch_norm' not in name and name != 'pos_embed':
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def published_weights(joints=17, frames=7, width=16, depth=3):
    """Random weights under the names and shapes of the published files."""
    shapes = {
        'joints_embed.weight': (width, 3),
        'joints_embed.bias': (width,),
        'pos_embed': (1, joints, width),
        'norm.weight': (width,),
        'norm.bias': (width,),
        'rep_logit.fc.weight': (512, width),
        'rep_logit.fc.bias': (512,),
        'head.weight': (3, 512),
        'head.bias': (3,),
    }
    for i in range(depth):
        shapes[f'layers.{i}.fusion.weight'] = (2, 2 * width)
        shapes[f'layers.{i}.fusion.bias'] = (2,)
        for kind in ('att', 'graph'):
            for axis, nodes in (('spatial', joints), ('temporal', frames)):
                block = f'layers.{i}.{kind}_{axis}'
                linears = {'mlp.fc1': (4 * width, width), 'mlp.fc2': (width, 4 * width)}
                if kind == 'att':
                    shapes[f'{block}.mixer.qkv.weight'] = (3 * width, width)
                    linears['mixer.proj'] = (width, width)
                else:
                    linears['mixer.U'] = linears['mixer.V'] = (width, width)
                    for name in ('weight', 'bias', 'running_mean', 'running_var'):
                        shapes[f'{block}.mixer.batch_norm.{name}'] = (nodes,)
                for name, shape in linears.items():
                    shapes[f'{block}.{name}.weight'] = shape
                    shapes[f'{block}.{name}.bias'] = shape[:1]
                for name in ('norm1.weight', 'norm1.bias', 'norm2.weight'):
                    shapes[f'{block}.{name}'] = (width,)
                for name in ('norm2.bias', 'layer_scale_1', 'layer_scale_2'):
                    shapes[f'{block}.{name}'] = (width,)
    return {name: torch.randn(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ('variant', 'frames', 'published'),
    [
        ('XS', 27, 2_241_531),
        ('S', 81, 4_817_119),
        ('B', 243, 11_723_811),
        ('L', 243, 19_007_111),
        ('B', 81, 11_718_627),
        ('L', 81, 18_998_687),
    ],
)
def test_published_parameter_counts(variant, frames, published):
    with torch.device('meta'):
        model = MotionAGFormer(variant=variant, num_frames=frames)
    assert sum(parameter.numel() for parameter in model.parameters()) == published


def test_golden_output():
    expected = [
        [1.24612572556, 2.73169260909, 1.98062395745],
        [1.67255694635, 1.90930146241, 0.59002788836],
        [0.63536750089, 2.69923058468, 2.5533239627],
    ]
    model = MotionAGFormer(**SMALL, published_edges=True)
    check_golden(model, expected, frames=9)


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published(
        'MotionAGFormer', weights, tmp_path / 'motionagformer.pth.tr', key='model'
    )
    assert imported.backbone == dict(
        type='MotionAGFormer',
        num_frames=7,
        embed_dims=16,
        depth=3,
        mlp_ratio=4,
        published_edges=True,
    )
    names = {
        'joints_embed.bias': 'embedding.bias',
        'layers.2.att_temporal.mixer.qkv.weight': (
            'layers.2.attention.temporal.mixer.qkv.weight'
        ),
        'layers.0.graph_spatial.mixer.U.weight': (
            'layers.0.graph.spatial.mixer.own.weight'
        ),
        'layers.0.graph_spatial.mixer.V.weight': (
            'layers.0.graph.spatial.mixer.neighbours.weight'
        ),
        'layers.1.fusion.bias': 'layers.1.fusion.bias',
        'rep_logit.fc.weight': 'representation.weight',
    }
    check_names(imported, weights, names)


def test_joints_are_linked_as_in_the_skeleton():
    graph = joint_graph(MotionAGFormer(**SMALL))
    assert torch.equal(graph > 0, graph.T > 0)
    # The pelvis has the hips and the spine, the left hip the pelvis and the knee.
    assert graph[0].nonzero().flatten().tolist() == [1, 4, 7]
    assert graph[4, 0] == pytest.approx((3 * 2) ** -0.5)
    assert len(joint_graph(MotionAGFormer('coco17', **SMALL))) == 17


def test_published_edges_miss_three_links_one_way():
    ours = joint_graph(MotionAGFormer(**SMALL)) > 0
    published = joint_graph(MotionAGFormer(**SMALL, published_edges=True))
    assert (ours & (published == 0)).nonzero().tolist() == [[0, 4], [8, 11], [8, 14]]
    assert not ((published > 0) & ~ours).any()
    assert published[4, 0] == pytest.approx((2 * 2) ** -0.5)


def joint_graph(model):
    return model.layers[0].graph.spatial.mixer.graph


@pytest.mark.parametrize('published_edges', [False, True])
def test_left_and_right_are_alike_without_the_published_edges(published_edges):
    model = with_random_weights(published_edges=published_edges)
    mirror = list(get_skeleton('h36m17').mirror)
    x = torch.randn(2, 9, 17, 2).double()
    difference = (model(x)[:, :, mirror] - model(x[:, :, mirror])).abs().max()
    assert (difference > 1e-3) if published_edges else (difference < 1e-12)


def test_the_order_of_frames_matters_to_batch_norms_alone():
    model = with_random_weights()
    x = torch.randn(2, 9, 17, 2).double()
    order = torch.randperm(9)
    difference = (model(x)[:, order] - model(x[:, order])).abs().max()
    assert difference < 1e-12
    for block in model.layers:
        block.graph.temporal.mixer.batch_norm.bias.data.normal_()
    assert (model(x)[:, order] - model(x[:, order])).abs().max() > 1e-3


def test_samples_are_lifted_alone_in_evaluation():
    model = with_random_weights()
    x = torch.randn(2, 9, 17, 2).double()
    torch.testing.assert_close(model(x)[1:], model(x[1:]))


def test_keypoints_without_confidence_count_as_certain():
    check_confidence(with_random_weights())


def test_similarity_graph_by_hand():
    nodes = torch.tensor([[[1.0, 0], [0, 1], [1, 1]]])
    # Similarities [1 0 1], [0 1 1], [1 1 2]: ties link a node to more than asked for.
    root = 6**-0.5
    one = [[1 / 2, 0, 2**-0.5], [0, 1 / 2, 2**-0.5], [0, 0, 1]]
    two = [[1 / 2, 0, root], [0, 1 / 2, root], [root, root, 1 / 3]]
    for neighbours, expected in ((1, one), (2, two), (3, None)):
        graph = similarity_graph(nodes, neighbours)
        expected = [[1 / 3] * 3] * 3 if expected is None else expected
        torch.testing.assert_close(graph, torch.tensor([expected]))


def test_equal_frames_are_linked_to_each_other():
    frame = torch.tensor([3.0, -1, 2])
    nodes = torch.stack([frame, frame, frame, torch.tensor([0.0, 1, 0])])[None]
    linked = similarity_graph(nodes, 2)[0] > 0
    assert linked[:3].tolist() == [[True, True, True, False]] * 3


def test_no_gradient_flows_through_the_choice_of_neighbours():
    nodes = torch.randn(1, 5, 3, requires_grad=True)
    assert not similarity_graph(nodes, 2).requires_grad


def test_half_precision_does_not_blur_the_similarity():
    torch.manual_seed(0)
    nodes = 1 + 1e-3 * torch.randn(2, 20, 8)
    with torch.autocast('cpu', torch.bfloat16):
        graph = similarity_graph(nodes, 2)
    assert torch.equal(graph, similarity_graph(nodes, 2))


def test_refuses_other_windows_variants_and_skeletons():
    model = MotionAGFormer(**SMALL)
    with pytest.raises(ValueError, match='window of 8 frames.*num_frames=9'):
        model(torch.zeros(1, 8, 17, 2))
    with pytest.raises(ValueError, match='17 joints'):
        model(torch.zeros(1, 9, 16, 2))
    with pytest.raises(ValueError, match="variant 'XL'.*XS, S, B, L"):
        MotionAGFormer(variant='XL')
    with pytest.raises(ValueError, match="17 joints, but skeleton 'h36m16' has 16"):
        MotionAGFormer('h36m16', **SMALL, published_edges=True)
    with pytest.raises(ValueError, match='num_neighbours=2.*num_frames=1'):
        MotionAGFormer(num_frames=1)
