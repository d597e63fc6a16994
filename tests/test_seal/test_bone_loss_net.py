import pytest
import torch

from sealpose.geometry.kinematics import bone_vectors, pose_from_bones
from sealpose.seal.loss_nets import BoneLossNet
from sealpose.seal.loss_nets.bone_features import BONE_UNIT, FEATURES, RESIDUAL_UNIT
from sealpose.skeletons import H36M17, Skeleton

from .bodies import BODY, body, random_poses, rotations

FOCAL = 2.29


def build(*features, skeleton='h36m17', **kwargs):
    torch.manual_seed(0)
    net = BoneLossNet(skeleton, features, 32, **kwargs) if features else None
    return (net or BoneLossNet(skeleton, hidden_dims=32, **kwargs)).double().eval()


def sample():
    x, _, y = random_poses('h36m17', 5, 2)
    return torch.randn_like(x), y


def unchanged(net, first, second):
    a, b = net(*first), net(*second)
    assert a.std() > 1e-4
    return torch.allclose(a, b, rtol=0, atol=1e-6)


def with_bones(y, change):
    return pose_from_bones(change(bone_vectors(y, H36M17)), H36M17, y[..., 0, :])


def turned_bones(y):
    """Every bone turned by itself."""
    turns = rotations(y.shape[0] * 16).reshape(-1, 1, 16, 3, 3)
    return with_bones(y, lambda bones: (bones[..., None, :] @ turns)[..., 0, :])


def scaled_bones(y):
    factors = 0.5 + torch.rand(y.shape[0], 1, 16, 1, dtype=y.dtype)
    return with_bones(y, lambda bones: bones * factors)


def test_default_energy_knows_the_structure_alone():
    net, (x, y) = build(), sample()
    assert unchanged(net, (x, y), (x, y @ rotations(5)))
    assert unchanged(net, (x, y), (x, y + 3.0))
    assert unchanged(net, (x, y), (torch.randn_like(x), y))
    assert not unchanged(net, (x, y), (x, 1.1 * y))
    assert not unchanged(net, (x, y), (x, turned_bones(y)))


@pytest.mark.parametrize(
    ('feature', 'ignores'),
    [
        ('lengths', {'move', 'turn', 'turn_bones', 'keypoints'}),
        ('angles', {'move', 'turn', 'scale', 'scale_bones', 'keypoints'}),
        ('directions', {'move', 'scale', 'scale_bones', 'keypoints'}),
        ('keypoints', {'move', 'turn', 'turn_bones', 'scale', 'scale_bones'}),
        # A camera without perspective sees neither size nor place.
        ('residual', {'move', 'scale'}),
    ],
)
def test_what_each_feature_leaves_out(feature, ignores):
    net, (x, y) = build(feature), sample()
    changes = {
        'move': (x, y + 3.0),
        'turn': (x, y @ rotations(5)),
        'turn_bones': (x, turned_bones(y)),
        'scale': (x, 1.3 * y),
        'scale_bones': (x, scaled_bones(y)),
        'keypoints': (x.flip(0), y),
    }
    found = {name for name, each in changes.items() if unchanged(net, (x, y), each)}
    assert found == ignores


def test_place_and_size_of_the_keypoints_do_not_matter():
    net, (x, y) = build('keypoints'), sample()
    assert unchanged(net, (x, y), (0.3 * x + torch.tensor([0.2, -0.5]), y))
    stretched = x * torch.tensor([1.0, 2.0])
    assert not unchanged(net, (x, y), (stretched, y))


def test_features_by_hand():
    torch.manual_seed(0)
    y = body(left=0.5)[None].double()
    x = torch.tensor([[0.1, 0.3]] * 3 + [[0.5, 0.3]] * 3).double()[None]

    def features(name):
        return build(name, skeleton=BODY).describe(x, y)[0].tolist()

    lengths = [0.6, 0.5, 0.3, 0.2, 0.2]
    expected = [each / BONE_UNIT for each in [*lengths, 4 * (0.5 - 0.3), 0]]
    assert features('lengths') == pytest.approx(expected, abs=1e-5)
    directions = [0, -1, 0, 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, 1, 0]
    assert features('directions') == pytest.approx(directions, abs=1e-5)
    # Neck with arms and forearms; arm with arm; arms with forearms; forearms.
    angles = [0, 0, -1, -1, -1, 0, 0, 0, 0, 1]
    assert features('angles') == pytest.approx(angles, abs=1e-5)
    # Centred ±0.2 and 0, root mean square sqrt(0.02).
    keypoints = [-(2**0.5), 0] * 3 + [2**0.5, 0] * 3
    assert features('keypoints') == pytest.approx(keypoints)


def test_number_of_features_at_17_joints():
    x, y = (part.flatten(0, 1) for part in sample())
    widths = {name: build(name).describe(x, y).shape[1] for name in FEATURES}
    assert widths == {
        'lengths': 16 + 6,
        'directions': 16 * 3,
        'angles': 16 * 15 // 2,
        'keypoints': 34,
        'residual': 34,
    }
    net = BoneLossNet('h36m17')
    layers = (22 + 120 + 1) * 256 + 2 * (256 + 1) * 256 + 256 + 1
    assert sum(p.numel() for p in net.parameters()) == layers


@pytest.mark.parametrize('focal', [None, FOCAL])
def test_a_pose_that_explains_its_keypoints_has_no_residual(focal):
    _, y = (part.flatten(0, 1) for part in sample())
    far = y + torch.tensor([0.3, -0.2, 4.0])
    seen = 0.2 * far[..., :2] if focal is None else focal * far[..., :2] / far[..., 2:]
    net = build('residual', focal=focal)
    assert net.describe(seen, y).abs().max() < 1e-9
    wrong = seen.clone()
    # 17 joints share what one is off: 16 / 17 of it are left there, or less.
    wrong[:, 3, 0] += RESIDUAL_UNIT
    residual = net.describe(wrong, y).unflatten(1, (17, 2))[:, 3, 0]
    assert (residual < -0.4).all() and (residual > -1.1).all()


@pytest.mark.parametrize('focal', [None, FOCAL])
def test_gradients_are_finite_for_bones_without_length(focal):
    net = build(*FEATURES, focal=focal)
    x, _ = sample()
    for y in (torch.zeros(5, 2, 17, 3), torch.ones(5, 2, 17, 3)):
        y = y.double().requires_grad_()
        for keypoints in (x, torch.zeros_like(x)):
            energy = net(keypoints, y)
            (gradient,) = torch.autograd.grad(energy.sum(), y)
            assert energy.isfinite().all() and gradient.isfinite().all()


def test_energy_is_smooth():
    """Its gradient is what the pose-net gets: autograd has to agree with steps."""
    net = build(*FEATURES, skeleton=BODY)
    x, y = (part[:1, :1, :6] for part in sample())
    y.requires_grad_()
    assert torch.autograd.gradcheck(net, (x, y))
    assert torch.autograd.gradgradcheck(net, (x, y))


def test_a_skeleton_without_sides_serves():
    chain = Skeleton('chain', {'a': None, 'b': 'a', 'c': 'b'})
    net = BoneLossNet(chain, hidden_dims=8)
    assert net(torch.randn(2, 5, 3, 2), torch.randn(2, 5, 3, 3)).shape == (2, 5)


@pytest.mark.parametrize('features', [(), ('length',), ('lengths', 'angle')])
def test_bad_features_are_named(features):
    with pytest.raises(ValueError) as error:
        BoneLossNet('h36m17', features)
    message = str(error.value)
    assert 'lengths, directions, angles, keypoints, residual' in message
    assert message.endswith(str(features))
