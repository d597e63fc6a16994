import pytest
import torch

from sealpose.models.backbones.pstmo import PSTMO, UnbiasedLayerNorm
from tests.test_models.golden import golden_output


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
    pose = golden_output(small(), frames=9)
    torch.testing.assert_close(
        pose[[0, 3, 16]], torch.tensor(expected).double(), atol=1e-6, rtol=0
    )


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
    torch.testing.assert_close(pose, model(x))
    assert set(losses) == {'all_frames'}
    # With a head of zeros every joint is predicted at the origin.
    with torch.no_grad():
        for parameter in model.all_frames_head[1].parameters():
            parameter.zero_()
    error = model.forward_train(x, target)[1]['all_frames']
    torch.testing.assert_close(error, target.norm(dim=-1).mean())


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


def test_strides_lead_to_the_centre_frame():
    model = small(num_frames=15, strides=(5, 3)).eval()
    assert model(torch.zeros(2, 15, 17, 2)).shape == (2, 1, 17, 3)
    with pytest.raises(ValueError, match=r'\(3, 3\) lead from 9 frames to one, not'):
        small(num_frames=27, strides=(3, 3))
    with pytest.raises(ValueError, match='no published strides for 15 frames'):
        small(num_frames=15)


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
