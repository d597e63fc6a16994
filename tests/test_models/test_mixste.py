import pytest
import torch

from sealpose.models.backbones.mixste import MixSTE
from tests.test_models.golden import check_golden
from tests.test_models.published_files import check_names, import_published
from tests.test_models.window_checks import check_reach, check_tables

SMALL = dict(num_frames=9, embed_dims=32, depth=2, num_heads=4)


def with_random_weights(**settings):
    torch.manual_seed(0)
    model = MixSTE(**{**SMALL, **settings}).double().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def published_weights(joints=5, frames=7, width=16, depth=3):
    """Random weights under the names and shapes of the published files."""
    shapes = {
        'Spatial_patch_to_embedding.weight': (width, 2),
        'Spatial_patch_to_embedding.bias': (width,),
        'Spatial_pos_embed': (1, joints, width),
        'Temporal_pos_embed': (1, frames, width),
        'head.1.weight': (3, width),
        'head.1.bias': (3,),
    }
    linears = {
        'attn.qkv': (3 * width, width),
        'attn.proj': (width, width),
        'mlp.fc1': (2 * width, width),
        'mlp.fc2': (width, 2 * width),
    }
    norms = ['Spatial_norm', 'Temporal_norm', 'head.0']
    for block in [f'{kind}TEblocks.{i}' for kind in 'ST' for i in range(depth)]:
        norms += [f'{block}.norm1', f'{block}.norm2']
        for name, shape in linears.items():
            shapes[f'{block}.{name}.weight'] = shape
            shapes[f'{block}.{name}.bias'] = shape[:1]
    for norm in norms:
        shapes[f'{norm}.weight'] = shapes[f'{norm}.bias'] = (width,)
    return {name: torch.randn(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ('frames', 'published'), [(27, 33_673_219), (81, 33_700_867), (243, 33_783_811)]
)
def test_published_parameter_counts(frames, published):
    with torch.device('meta'):
        model = MixSTE(num_frames=frames)
    assert sum(parameter.numel() for parameter in model.parameters()) == published
    assert len(model.state_dict()) == 204


def test_golden_output():
    expected = [
        [0.08338574883, -0.57441335073, -0.95963834001],
        [0.39595860198, -0.16549472181, -0.66080438748],
        [-0.02708592816, -0.6604782859, -0.9778492016],
    ]
    check_golden(MixSTE(**SMALL), expected, frames=9)


def test_published_weights_are_imported_to_the_last_tensor(tmp_path):
    weights = published_weights()
    imported = import_published('MixSTE', weights, tmp_path / 'best_epoch.bin')
    assert imported.backbone == dict(
        type='MixSTE', num_joints=5, num_frames=7, embed_dims=16, depth=3
    )
    names = {
        'STEblocks.2.attn.qkv.weight': 'spatial_blocks.2.attn.qkv.weight',
        'TTEblocks.0.mlp.fc2.bias': 'temporal_blocks.0.mlp.fc2.bias',
        'Spatial_patch_to_embedding.bias': 'embedding.bias',
        'Temporal_pos_embed': 'temporal_pos_embed',
        'Spatial_norm.weight': 'spatial_norm.weight',
        'head.1.weight': 'head.1.weight',
    }
    check_names(imported, weights, names)


def test_joints_and_frames_differ_by_their_tables_alone():
    check_tables(with_random_weights())


def test_samples_are_lifted_alone_and_each_token_sees_its_whole_window():
    check_reach(with_random_weights())


def test_drop_path_works_in_training_only():
    torch.manual_seed(0)
    model = MixSTE(**SMALL, drop_path=0.5)
    rates = [block.drop_path.drop_prob for block in model.temporal_blocks]
    assert rates == [0, 0.5]
    x = torch.randn(1, 9, 17, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


@pytest.mark.parametrize('shape', [(1, 8, 17, 2), (1, 9, 16, 2), (1, 9, 17, 3)])
def test_other_windows_are_refused(shape):
    message = rf'\(9, 17, 2\), got \({shape[1]}, {shape[2]}, {shape[3]}\)'
    with pytest.raises(ValueError, match=message):
        MixSTE(**SMALL)(torch.zeros(shape))
