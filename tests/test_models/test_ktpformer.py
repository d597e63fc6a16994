import pytest
import torch

from sealpose.models.backbones.ktpformer import KTPFormer
from sealpose.skeletons import Skeleton
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published

SMALL = dict(num_frames=9, embed_dims=32, depth=2, num_heads=4)
CROSS = Skeleton(
    'cross',
    joints=dict(
        middle=None,
        left_hand='middle',
        right_hand='middle',
        head='middle',
        foot='middle',
    ),
)


def published_weights(joints=17, frames=7, width=16, depth=3):
    """Random weights under the names and shapes of the published files."""
    shapes = {
        'kpattention.attn.Spatial_pos_embed': (1, joints, width),
        'tpattention.attn.Temporal_pos_embed': (1, frames, width),
        'head.1.weight': (3, width),
        'head.1.bias': (3,),
    }
    norms = ['Spatial_norm', 'Temporal_norm', 'head.0']
    blocks = [f'{kind}TEblocks.{i}' for kind in 'ST' for i in range(depth)]
    for block in [*blocks, 'kpattention', 'tpattention']:
        in_attention = 'attn.norm1' if block.endswith('attention') else 'norm1'
        norms += [f'{block}.{in_attention}', f'{block}.norm2']
        for name, shape in {
            'attn.qkv': (3 * width, width),
            'attn.proj': (width, width),
            'mlp.fc1': (2 * width, width),
            'mlp.fc2': (width, 2 * width),
        }.items():
            shapes[f'{block}.{name}.weight'] = shape
            shapes[f'{block}.{name}.bias'] = shape[:1]
    for layer, nodes, channels in (
        ('kpattention.attn.kpa', joints, 2),
        ('tpattention.attn.tpa.gconv1', frames, width),
        ('tpattention.attn.tpa.gconv2', frames, width),
    ):
        norms.append(f'{layer}.bn')
        shapes[f'{layer}.gconv.W'] = (2, channels, width)
        shapes[f'{layer}.gconv.M'] = (nodes, width)
        shapes[f'{layer}.gconv.adj2'] = (nodes, nodes)
        shapes[f'{layer}.gconv.bias'] = (width,)
        shapes[f'{layer}.bn.running_mean'] = (width,)
        shapes[f'{layer}.bn.running_var'] = (width,)
        shapes[f'{layer}.bn.num_batches_tracked'] = ()
    for norm in norms:
        shapes[f'{norm}.weight'] = shapes[f'{norm}.bias'] = (width,)
    return {
        name: torch.tensor(5) if name.endswith('tracked') else torch.randn(shape)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize(
    ('frames', 'published'), [(27, 34_765_014), (81, 34_859_622), (243, 35_213_430)]
)
def test_published_parameter_counts(frames, published):
    with torch.device('meta'):
        model = KTPFormer(num_frames=frames)
    assert sum(parameter.numel() for parameter in model.parameters()) == published
    assert len(model.state_dict()) == 229


def test_golden_output():
    expected = [
        [0.37310666088, -0.17792931699, -0.65633679931],
        [0.66351902388, 0.30360305678, -0.22677176234],
        [0.2250126441, -0.29653199041, -0.68557508399],
    ]
    check_golden(KTPFormer(**SMALL), expected, frames=9)


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published('KTPFormer', weights, tmp_path / 'best_epoch.bin')
    assert imported.backbone == dict(
        type='KTPFormer', skeleton='h36m17', num_frames=7, embed_dims=16, depth=3
    )
    names = {
        'kpattention.attn.kpa.gconv.M': 'embedding.conv.modulation',
        'kpattention.attn.qkv.weight': 'spatial_blocks.0.attn.qkv.weight',
        'kpattention.attn.norm1.weight': 'spatial_blocks.0.norm1.weight',
        'kpattention.norm2.weight': 'spatial_blocks.0.norm2.weight',
        'tpattention.mlp.fc1.bias': 'temporal_blocks.0.mlp.fc1.bias',
        'tpattention.attn.tpa.gconv2.bn.running_var': (
            'trajectory_prior.1.norm.running_var'
        ),
        'STEblocks.0.norm1.weight': 'spatial_blocks.1.norm1.weight',
        'TTEblocks.2.mlp.fc2.bias': 'temporal_blocks.3.mlp.fc2.bias',
    }
    check_names(imported, weights, names)


def test_graphs_come_from_the_skeleton_and_the_order_of_the_frames():
    model = KTPFormer(CROSS, num_frames=4, embed_dims=8)
    quarter = [1, 0.25, 0.25, 0.25, 0.25]
    leaves = [[1, *(float(i == j) for j in range(4))] for i in range(4)]
    assert model.embedding.conv.adjacency.tolist() == [quarter, *leaves]
    chain = [[1, 1, 0, 0], [0.5, 1, 0.5, 0], [0, 0.5, 1, 0.5], [0, 0, 1, 1]]
    for layer in model.trajectory_prior:
        assert layer.conv.adjacency.tolist() == chain
    assert model(torch.zeros(2, 4, 5, 2)).shape == (2, 4, 5, 3)


def test_graphs_are_not_stored_but_change_the_output():
    star = Skeleton('star', CROSS.joints)
    chain = Skeleton(
        'chain',
        joints=dict(
            middle=None,
            left_hand='middle',
            right_hand='middle',
            head='middle',
            foot='head',
        ),
    )
    torch.manual_seed(0)
    models = [
        KTPFormer(skeleton, num_frames=3, embed_dims=16, depth=1).eval()
        for skeleton in (CROSS, star, chain)
    ]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    x = torch.randn(1, 3, 5, 2)
    reference, same, other = (model(x) for model in models)
    assert torch.equal(reference, same)
    assert (reference - other).abs().max() > 1e-3


def test_first_pair_normalises_with_its_own_eps():
    model = KTPFormer(**SMALL)
    for blocks in (model.spatial_blocks, model.temporal_blocks):
        assert [block.norm1.eps for block in blocks] == [1e-5, 1e-6, 1e-6]
        assert [block.norm2.eps for block in blocks] == [1e-6] * 3


def test_drop_path_works_in_training_only():
    torch.manual_seed(0)
    model = KTPFormer(**SMALL, drop_path=0.5)
    rates = [block.drop_path.drop_prob for block in model.temporal_blocks]
    assert rates == [0, 0.25, 0.5]
    x = torch.randn(1, 9, 17, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_other_windows_are_refused():
    with pytest.raises(ValueError, match=r'KTPFormer .*\(9, 17, 2\), got \(8, 17, 2\)'):
        KTPFormer(**SMALL)(torch.zeros(1, 8, 17, 2))
