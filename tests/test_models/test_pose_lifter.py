import pytest
import torch
from torch import nn

from sealpose.geometry.flip import flip_pose
from sealpose.models import PoseDataPreprocessor, PoseLifter
from sealpose.registry import BACKBONES, TRANSFORMS
from sealpose.skeletons import H36M17


@BACKBONES.register_module(force=True)
class Halver(nn.Module):
    """Predicts the centre frame's 2D input, scaled, with dropout noise in training."""

    num_frames, seq2seq = 3, False

    def __init__(self, shape_fault=False):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.drop = nn.Dropout(0.5)
        self.shape_fault = shape_fault

    def forward(self, x):
        y = self.drop(x[:, 1:2] * self.scale)
        y = torch.cat([y, y[..., :1]], -1)
        return y[:, :, :16] if self.shape_fault else y


def lifter(**kwargs):
    kwargs.setdefault('backbone', dict(type='Halver'))
    return PoseLifter(
        skeleton='h36m17', losses=dict(pose=dict(type='MPJPELoss')), **kwargs
    )


def test_flip_test_averages_both_sides_by_hand():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 17, 2)
    plain, flipping = lifter().eval(), lifter(flip_test=True).eval()
    mirror = H36M17.mirror
    by_hand = (plain.lift(x) + flip_pose(plain.lift(flip_pose(x, mirror)), mirror)) / 2
    torch.testing.assert_close(flipping.lift(x), by_hand)


def test_losses_appear_under_their_names():
    model = lifter()
    model_losses = PoseLifter(
        backbone=dict(type='Halver'),
        skeleton='h36m17',
        losses=dict(
            pose=dict(type='MPJPELoss'), symmetry=dict(type='SymmetryLoss', weight=0.1)
        ),
    )
    x, y = torch.randn(2, 3, 17, 2), torch.randn(2, 1, 17, 3)
    assert set(model(x, y, mode='loss')) == {'loss_pose'}
    assert set(model_losses(x, y, mode='loss')) == {'loss_pose', 'loss_symmetry'}


def test_energy_fn_gets_the_predicted_frames_and_adds_its_losses():
    model = lifter()
    seen = {}

    def energy_fn(x, pred, target, pose_loss):
        seen.update(x=x, pred=pred, fresh=model.predict_fresh())
        return dict(loss_energy=pred.sum())

    model.energy_fn = energy_fn
    x, y = torch.randn(2, 3, 17, 2), torch.randn(2, 1, 17, 3)
    losses = model(x, y, mode='loss')
    assert set(losses) == {'loss_pose', 'loss_energy'}
    assert torch.equal(seen['x'], x[:, 1:2])
    assert seen['pred'].requires_grad
    assert not seen['fresh'].requires_grad
    # In eval mode there is no dropout: the fresh prediction is the scaled input.
    torch.testing.assert_close(seen['fresh'][..., :2], x[:, 1:2] * 0.5)
    assert model.backbone.training


@pytest.mark.parametrize('call', ['predict_fresh', 'pose_loss'])
def test_another_prediction_outside_of_training_is_refused(call):
    args = () if call == 'predict_fresh' else (torch.zeros(2, 1, 17, 3),)
    with pytest.raises(RuntimeError, match=rf'{call}\(\) works only while energy_fn'):
        getattr(lifter(), call)(*args)


@pytest.mark.parametrize('own_losses', [True, False])
def test_losses_of_another_prediction(own_losses):
    losses = dict(symmetry=dict(type='SymmetryLoss', weight=2.0)) if own_losses else {}
    model = PoseLifter(
        backbone=dict(type='SimpleBaseline', channels=16, dropout=0.9),
        skeleton='h36m17',
        losses=losses,
    )
    found = {}

    def energy_fn(x, pred, target, pose_loss):
        statistics = [b.clone() for b in model.buffers()]
        again = model.predict_fresh(gradients=True)
        assert all(map(torch.equal, model.buffers(), statistics))
        assert again.requires_grad and model.backbone.training
        found.update(again=again, loss=model.pose_loss(again))
        return {}

    model.energy_fn = energy_fn
    x, y = torch.randn(4, 1, 17, 2), torch.randn(4, 1, 17, 3)
    model(x, y, mode='loss')
    if own_losses:
        expected = model.losses['symmetry'](found['again'], y, H36M17)
    else:
        expected = (found['again'] - y).norm(dim=-1).mean()
    torch.testing.assert_close(found['loss'], expected)


def dropping_lifter(**kwargs):
    return PoseLifter(
        backbone=dict(type='SimpleBaseline', channels=16, dropout=0.9),
        skeleton='h36m17',
        losses=dict(pose=dict(type='MPJPELoss')),
        **kwargs,
    )


def test_losses_at_inference_see_what_the_network_says_at_test_time():
    again = dict(symmetry=dict(type='SymmetryLoss', weight=2.0))
    model = dropping_lifter(losses_at_inference=again)
    x, y = torch.randn(4, 1, 17, 2), torch.randn(4, 1, 17, 3)
    model.backbone.eval()
    expected = model.losses_at_inference['symmetry'](model.backbone(x), y, H36M17)
    # The pass before in train mode must not change what they see, only what is learnt.
    model.backbone.train()
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm1d):
            norm.momentum = 0.0
    losses = model(x, y, mode='loss')
    assert set(losses) == {'loss_pose', 'loss_symmetry'}
    torch.testing.assert_close(losses['loss_symmetry'], expected)
    assert losses['loss_symmetry'].requires_grad and model.backbone.training


def test_losses_and_energy_at_inference_share_one_pass():
    model = dropping_lifter(losses_at_inference=dict(bone=dict(type='BoneLengthLoss')))
    calls, found = [], {}
    model.backbone.register_forward_hook(
        lambda net, *_: calls.append('train' if net.training else 'eval')
    )

    def energy_fn(x, pred, target, pose_loss):
        again = model.predict_fresh(gradients=True)
        assert torch.equal(model.predict_fresh(), again)
        assert not model.predict_fresh().requires_grad
        found.update(loss=model.pose_loss(again), again=again)
        return dict(loss_energy=again.mean())

    model.energy_fn = energy_fn
    x, y = torch.randn(4, 1, 17, 2), torch.randn(4, 1, 17, 3)
    losses = model(x, y, mode='loss')
    assert calls == ['train', 'eval']
    assert set(losses) == {'loss_pose', 'loss_bone', 'loss_energy'}
    # What the energy is weighed against there is all that acts there.
    pose = model.losses['pose'](found['again'], y, H36M17)
    torch.testing.assert_close(found['loss'], pose + losses['loss_bone'])
    # The next batch gets a prediction of its own.
    first = found['again']
    model(-x, y, mode='loss')
    assert calls == ['train', 'eval'] * 2 and not torch.equal(found['again'], first)


def test_two_losses_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"both name \['pose'\]; give one of them"):
        dropping_lifter(losses_at_inference=dict(pose=dict(type='MPJPELoss')))


def test_a_prediction_of_the_wrong_shape_names_the_backbone():
    model = lifter(backbone=dict(type='Halver', shape_fault=True))
    with pytest.raises(
        ValueError, match=r'Halver returned \(2, 1, 16, 3\).*\(2, 1, 17'
    ):
        model(torch.zeros(2, 3, 17, 2), torch.zeros(2, 1, 17, 3), mode='loss')


def test_unknown_backbone_suggests_names():
    with pytest.raises(
        KeyError, match="'VideoPose3' is not .*Did you mean VideoPose3D"
    ):
        lifter(backbone=dict(type='VideoPose3'))


def test_training_flip_mirrors_whole_windows():
    torch.manual_seed(0)
    data = dict(
        keypoints_2d=torch.randn(200, 3, 17, 2),
        keypoints_3d=torch.randn(200, 1, 17, 3),
        frame_idx=torch.zeros(200, 1).long(),
    )
    preprocessor = PoseDataPreprocessor('h36m17', flip_prob=0.5)
    assert preprocessor(data)['keypoints_2d'] is not None
    torch.testing.assert_close(preprocessor(data)['keypoints_2d'], data['keypoints_2d'])
    flipped = preprocessor(data, training=True)
    same = (flipped['keypoints_2d'] == data['keypoints_2d']).flatten(1).all(1)
    assert 70 < same.sum() < 130
    for key in ('keypoints_2d', 'keypoints_3d'):
        expected = torch.where(
            same[:, None, None, None], data[key], flip_pose(data[key], H36M17.mirror)
        )
        torch.testing.assert_close(flipped[key], expected)


@BACKBONES.register_module(force=True)
class WholeWindowLearner(nn.Module):
    """Seq2frame, with a training loss of its own on all frames of the window."""

    num_frames, seq2seq, target_frames = 3, False, 3

    def __init__(self, num_joints, skeleton):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(num_joints, 1))
        self.told = skeleton

    def forward(self, x):
        return (self.scale * torch.cat([x, x[..., :1]], -1))[:, 1:2]

    def forward_train(self, x, target):
        return self(x), {'window': target.square().mean()}


def test_losses_of_the_backbone_see_the_whole_window():
    model = lifter(backbone=dict(type='WholeWindowLearner'))
    x, y = torch.randn(2, 3, 17, 2), torch.randn(2, 3, 17, 3)
    seen = []

    def energy_fn(*args, **kwargs):
        seen.extend(args)
        return {}

    model.energy_fn = energy_fn
    losses = model(x, y, mode='loss')
    assert losses['loss_window'].item() == y.square().mean().item()
    centre = (model(x) - y[:, 1:2]).norm(dim=-1).mean()
    torch.testing.assert_close(losses['loss_pose'], centre)
    assert [tuple(s.shape) for s in seen] == [
        (2, 1, 17, 2),
        (2, 1, 17, 3),
        (2, 1, 17, 3),
    ]
    assert torch.equal(seen[2], y[:, 1:2])


def test_backbone_is_told_skeleton_and_joints_unless_its_config_says():
    model = lifter(backbone=dict(type='WholeWindowLearner'))
    assert model.backbone.told == 'h36m17'
    assert model.backbone.scale.shape == (17, 1)
    other = lifter(backbone=dict(type='WholeWindowLearner', skeleton='mine'))
    assert other.backbone.told == 'mine'


@TRANSFORMS.register_module(force=True)
class AddNoise:
    def __call__(self, keypoints_2d, generator):
        noise = torch.rand(keypoints_2d.shape, generator=generator)
        return keypoints_2d + noise


def test_augmentations_disturb_the_input_in_training_alone_and_repeat():
    model = lifter(augmentations=[dict(type='AddNoise')])
    batch = dict(keypoints_2d=torch.zeros(2, 3, 17, 2), keypoints_3d=torch.zeros(2))

    def prepared(training):
        torch.manual_seed(4)
        batches = [model.data_preprocessor(batch, training) for _ in range(2)]
        return [b['keypoints_2d'] for b in batches]

    first, second = prepared(training=True)
    assert first.min() > 0
    assert not torch.equal(first, second)
    assert torch.equal(first, prepared(training=True)[0])
    assert torch.equal(prepared(training=False)[0], batch['keypoints_2d'])
    assert torch.equal(batch['keypoints_2d'], torch.zeros(2, 3, 17, 2))
