import pytest
import torch

from sealpose.models.backbones.joint_former import JointFormer
from tests.test_models.golden import check_golden

SMALL = dict(embed_dims=16, ffn_dims=32, num_layers=2)
REFINEMENT = dict(embed_dims=24, ffn_dims=32, num_layers=2)
H36M_REFINEMENT = dict(embed_dims=256, ffn_dims=1024, num_layers=2, head_dropout=0.1)
H3WB_REFINEMENT = dict(embed_dims=128, intermediate=True)


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_parameters_are_as_many_as_published():
    with torch.device('meta'):
        h36m = JointFormer(refinement=H36M_REFINEMENT)
        h3wb = JointFormer(133, embed_dims=128, refinement=H3WB_REFINEMENT)
    assert num_parameters(h36m.coarse) == 1_478_104
    assert num_parameters(h36m.refinement) == 2_335_283
    assert num_parameters(h3wb.coarse) == 83_432_696
    assert num_parameters(h3wb.refinement) == 56_125_372
    assert num_parameters(h3wb) == 139_558_068


GOLDEN = dict(embed_dims=32, ffn_dims=64, num_layers=2)


@pytest.mark.parametrize(
    ('refinement', 'expected'),
    [
        (
            None,
            [
                [-1.16289073, -0.81673982, -0.43491388],
                [-1.7258654, -1.46604793, -1.135964],
                [-0.66226415, -1.02874056, -1.35072554],
            ],
        ),
        (
            dict(GOLDEN),
            [
                [-1.24336326, -1.53484704, -1.75437396],
                [-0.628318, -0.98196852, -1.29080102],
                [1.90431343, 1.77429582, 1.5560488],
            ],
        ),
        (
            dict(GOLDEN, intermediate=True),
            [
                [-1.80996838, -1.66594806, -1.43861998],
                [-1.76729151, -1.77974728, -1.71167254],
                [0.4611352, 0.04935729, -0.36281555],
            ],
        ),
    ],
)
def test_output_for_given_parameters_does_not_drift(refinement, expected):
    check_golden(
        JointFormer(**GOLDEN, refinement=refinement), expected, joints=(0, 9, 16)
    )


@pytest.mark.parametrize('refinement', [None, REFINEMENT])
def test_each_frame_is_lifted_alone(refinement):
    model = JointFormer(**SMALL, refinement=refinement).double().eval()
    x = torch.randn(2, 3, 17, 2).double()
    one_by_one = torch.stack([model(x[:, t : t + 1])[:, 0] for t in range(3)], 1)
    torch.testing.assert_close(model(x), one_by_one)


def test_the_loss_is_on_poses_and_errors_of_all_layers():
    model = JointFormer(**SMALL).double().eval()
    x, truth = torch.randn(2, 3, 17, 2).double(), torch.randn(2, 3, 17, 3).double()
    poses, errors = model.coarse(x.flatten(0, 1), (0, 1))
    y = truth.flatten(0, 1)
    expected = 0
    for pose, error in zip(poses, errors, strict=True):
        wrong = (pose - y).abs()
        expected += ((wrong**2).mean() + ((error - wrong) ** 2).mean()) / 2 / 2
    pose, losses = model.forward_train(x, truth)
    torch.testing.assert_close(losses, dict(intermediate=expected))
    torch.testing.assert_close(pose, model(x))


def test_the_true_error_passes_no_gradient_to_the_pose():
    model = JointFormer(**SMALL, num_heads=1).double().eval()
    with torch.no_grad():
        for heads in (model.coarse.pose_heads, model.coarse.error_heads):
            for head in heads:
                head[2].weight.zero_()
                head[2].bias.zero_()
    x, truth = torch.randn(4, 1, 17, 2).double(), torch.ones(4, 1, 17, 3).double()
    model.forward_train(x, truth)[1]['intermediate'].backward()
    bias = model.coarse.pose_heads[1][2].bias
    # Of mean((0 - 1)²) / 2, averaged over two layers: nothing of mean((0 - |0 - 1|)²).
    torch.testing.assert_close(bias.grad, torch.full_like(bias, -0.5 / 51))


def test_only_the_refinement_trains_when_there_is_one():
    model = JointFormer(**SMALL, refinement=REFINEMENT).train()
    assert model.refinement.training
    assert not any(module.training for module in model.coarse.modules())
    x, truth = torch.randn(2, 1, 17, 2), torch.randn(2, 1, 17, 3)
    pose, losses = model.forward_train(x, truth)
    torch.testing.assert_close(losses['intermediate'], ((pose - truth) ** 2).mean())
    losses['intermediate'].backward()
    assert all(p.grad is None for p in model.coarse.parameters())
    assert all(p.grad is not None for p in model.refinement.parameters())


@pytest.mark.parametrize('refinement', [None, dict(REFINEMENT, intermediate=True)])
def test_every_trained_parameter_gets_a_gradient(refinement):
    model = JointFormer(**SMALL, refinement=refinement).train()
    x, truth = torch.randn(2, 1, 17, 2), torch.randn(2, 1, 17, 3)
    model.forward_train(x, truth)[1]['intermediate'].backward()
    without = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    assert without == []


def test_the_coarse_weights_carry_over_to_the_second_step():
    first, second = JointFormer(**SMALL), JointFormer(**SMALL, refinement=REFINEMENT)
    missing, unexpected = second.load_state_dict(first.state_dict(), strict=False)
    assert unexpected == []
    assert {name.split('.')[0] for name in missing} == {'refinement'}


def test_training_drops_attention_weights_as_written_out_for_the_cpu():
    torch.manual_seed(0)
    attention = JointFormer(**SMALL).double().coarse.layers[0].attn
    attention.attn_drop = 0.0
    x = torch.randn(2, 17, 16).double()
    torch.testing.assert_close(attention.train()(x), attention.eval()(x))
    attention.attn_drop = 0.5
    assert not torch.allclose(attention.train()(x), attention(x))


def test_another_number_of_joints_is_refused():
    with pytest.raises(ValueError, match='built for 17 joints'):
        JointFormer(**SMALL)(torch.zeros(1, 1, 16, 2))


def official_shapes(in_dim, joints, dims, ffn, layers, prefix=''):
    shapes = {'embedding.weight': (dims, in_dim, 1), 'layer_norm.weight': (dims,)}
    for i in range(layers):
        shapes[f'layer_stack.{i}.slf_attn.w_qs.weight'] = (512, dims)
        shapes[f'layer_stack.{i}.pos_ffn.w_1.bias'] = (ffn,)
    if prefix != 'refinement.':
        shapes['intermediate_pred.0.2.bias'] = (joints * 3,)
    return {prefix + name: torch.zeros(shape) for name, shape in shapes.items()}


def test_settings_come_from_the_shapes_of_official_weights():
    coarse = dict(embed_dims=64, ffn_dims=512, num_layers=4, num_heads=8)
    settings = JointFormer.official.settings
    alone = official_shapes(2, 17, 64, 512, 4)
    assert settings(alone) == dict(num_joints=17, **coarse)
    both = {
        **official_shapes(2, 17, 64, 512, 4, 'coarse.'),
        **official_shapes(8, 17, 256, 1024, 2, 'refinement.'),
    }
    fine = dict(embed_dims=256, ffn_dims=1024, num_layers=2, num_heads=8)
    assert settings(both) == dict(
        num_joints=17, **coarse, refinement=dict(**fine, intermediate=False)
    )


def test_official_weights_of_the_refinement_alone_are_refused():
    with pytest.raises(ValueError, match='refinement alone'):
        JointFormer.official.settings(official_shapes(8, 17, 256, 1024, 2))
