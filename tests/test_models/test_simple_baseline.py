import pytest
import torch

from sealpose.models.backbones.simple_baseline import SimpleBaseline
from tests.test_models.golden import golden_output


@pytest.mark.parametrize(
    ('settings', 'published'),
    [
        (dict(num_joints=16), 4_291_632),
        (dict(), 4_296_755),
        (dict(num_joints=133), 4_891_023),
        (dict(channels=2048, num_stages=3), 25_382_963),
        (dict(num_joints=133, channels=2048, num_stages=3), 26_571_151),
    ],
)
def test_parameters_are_as_many_as_published(settings, published):
    with torch.device('meta'):
        model = SimpleBaseline(**settings)
    assert sum(p.numel() for p in model.parameters()) == published


def test_output_for_given_parameters_does_not_drift():
    pose = golden_output(SimpleBaseline(channels=64), frames=1)
    expected = [
        [-0.07941474, 0.07939732, 0.17021725],
        [-0.0044303, 0.06887243, -0.06053194],
        [-0.08164296, 0.09631077, 0.10410684],
    ]
    torch.testing.assert_close(
        pose[[0, 9, 16]], torch.tensor(expected).double(), atol=1e-6, rtol=0
    )


def test_each_frame_is_lifted_alone():
    model = SimpleBaseline(channels=16).eval()
    x = torch.randn(2, 3, 17, 2)
    one_by_one = torch.stack([model(x[:, t : t + 1])[:, 0] for t in range(3)], 1)
    torch.testing.assert_close(model(x), one_by_one)


def test_another_number_of_joints_is_refused():
    with pytest.raises(ValueError, match=r'built for 17 joints.*\(2, 1, 16, 2\)'):
        SimpleBaseline(channels=8)(torch.zeros(2, 1, 16, 2))


def official_shapes(inputs, outputs, channels, stages):
    shapes = {'w1.weight': (channels, inputs), 'w2.bias': (outputs,)}
    for i in range(stages):
        shapes[f'linear_stages.{i}.w1.weight'] = (channels, channels)
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def test_settings_come_from_the_shapes_of_official_weights():
    settings = SimpleBaseline.official.settings(official_shapes(32, 48, 20, 3))
    assert settings == dict(num_joints=16, channels=20, num_stages=3)


def test_official_weights_without_a_root_are_refused():
    with pytest.raises(ValueError, match='map 16 joints to 15'):
        SimpleBaseline.official.settings(official_shapes(32, 45, 20, 2))
