"""The pose-net on batches of which some windows have no truth."""

import pytest
import torch
from torch import nn

from sealpose.models import PoseDataPreprocessor, PoseLifter
from sealpose.registry import BACKBONES

NAN = float('nan')


@BACKBONES.register_module(force=True)
class TinyNet(nn.Module):
    num_frames, seq2seq = 3, True

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 3)

    def forward(self, x):
        return self.net(x)


@BACKBONES.register_module(force=True)
class TinyNetWithLoss(TinyNet):
    def forward_train(self, x, target):
        return self(x), {'own': (self(x) - target).square().mean()}


def lifter(backbone='TinyNet', **losses):
    torch.manual_seed(0)
    losses = {'pose': 'MPJPELoss', **losses}
    return PoseLifter(
        backbone=dict(type=backbone),
        skeleton='h36m17',
        losses={name: dict(type=kind) for name, kind in losses.items()},
    )


def batch(labelled=2, total=5):
    generator = torch.Generator().manual_seed(1)
    target = torch.randn(total, 3, 17, 3, generator=generator)
    target[labelled:] = NAN
    return dict(
        keypoints_2d=torch.randn(total, 3, 17, 2, generator=generator),
        keypoints_3d=target,
        labelled=torch.arange(total) < labelled,
    )


def first(data, count):
    return {name: data[name][:count] for name in ('keypoints_2d', 'keypoints_3d')}


def gradients(model, losses):
    return torch.autograd.grad(sum(losses.values()), list(model.parameters()))


@pytest.mark.parametrize('backbone', ['TinyNet', 'TinyNetWithLoss'])
def test_losses_on_the_truth_see_labelled_windows_alone(backbone):
    model, data = (
        lifter(backbone, velocity='VelocityLoss', bone='BoneLengthLoss'),
        batch(),
    )
    mixed, alone = model(**data, mode='loss'), model(**first(data, 2), mode='loss')
    assert mixed.keys() == alone.keys() >= {'loss_pose', 'loss_velocity', 'loss_bone'}
    for name, loss in mixed.items():
        torch.testing.assert_close(loss, alone[name])
    for a, b in zip(gradients(model, mixed), gradients(model, alone), strict=True):
        torch.testing.assert_close(a, b)


LOSSES_WITHOUT_TRUTH = {
    'symmetry': 'SymmetryLoss',
    'smoothness': 'SmoothnessLoss',
    'reprojection': 'ReprojectionLoss',
}


def test_losses_without_truth_see_all_windows():
    model, data = lifter(**LOSSES_WITHOUT_TRUTH), batch()
    mixed = model(**data, mode='loss')
    whole = first(data, 5)
    whole['keypoints_3d'] = whole['keypoints_3d'].nan_to_num(0)
    everything = model(**whole, mode='loss')
    few = model(**first(data, 2), mode='loss')
    for name in LOSSES_WITHOUT_TRUTH:
        loss = mixed[f'loss_{name}']
        torch.testing.assert_close(loss, everything[f'loss_{name}'])
        assert not torch.isclose(loss, few[f'loss_{name}'], rtol=1e-3)
    assert all(g.isfinite().all() for g in gradients(model, mixed))


def test_a_mask_that_is_all_true_changes_nothing():
    model, data = lifter(**LOSSES_WITHOUT_TRUTH), batch(labelled=5)
    with_mask = model(**data, mode='loss')
    without = model(**first(data, 5), mode='loss')
    assert with_mask.keys() == without.keys()
    assert all(torch.equal(loss, without[name]) for name, loss in with_mask.items())


def test_the_energy_gets_all_windows_and_the_mask():
    model, data = lifter(), batch()
    calls = []

    def energy_fn(*args, pose_loss):
        calls.append(args)
        assert pose_loss.isfinite()
        return dict(loss_energy=args[1].mean(), fresh=model.predict_fresh().sum())

    model.energy_fn = energy_fn
    assert 'loss_energy' in model(**data, mode='loss')
    model(**first(data, 2), mode='loss')
    (seen, pred, target, mask), plain = calls
    assert torch.equal(seen, data['keypoints_2d'])
    assert pred.shape == (5, 3, 17, 3)
    torch.testing.assert_close(target, data['keypoints_3d'], equal_nan=True)
    assert torch.equal(mask, data['labelled'])
    assert len(plain) == 3


def test_consistency_gets_the_unlabelled_windows_as_they_were():
    model, data = lifter(), batch()
    calls = []
    model.consistency_fn = lambda x, pred: calls.append((x, pred)) or {}
    clean = data['keypoints_2d'] + 1
    model(**data, undisturbed_2d=clean, mode='loss')
    model(**data, mode='loss')
    model(**batch(labelled=5), mode='loss')
    model(**first(data, 2), mode='loss')
    assert len(calls) == 2
    assert torch.equal(calls[0][0], clean[2:])
    assert torch.equal(calls[1][0], data['keypoints_2d'][2:])
    torch.testing.assert_close(calls[0][1], model(data['keypoints_2d'])[2:])


@pytest.mark.parametrize('labelled', [[False, True, True], [False] * 3])
def test_labelled_windows_must_come_first(labelled):
    data = dict(batch(total=3), labelled=torch.tensor(labelled))
    with pytest.raises(ValueError, match='of the 3 windows .*FewLabelsBatchSampler'):
        lifter()(**data, mode='loss')


def test_augmentations_keep_what_the_teacher_sees():
    noise = [dict(type='DetectorNoise', sigma=5.0)]
    preprocessor = PoseDataPreprocessor('h36m17', flip_prob=1.0, augmentations=noise)
    data = batch()
    found = preprocessor(data, training=True)
    flipped = PoseDataPreprocessor('h36m17', flip_prob=1.0)(data, training=True)
    assert torch.equal(found['undisturbed_2d'], flipped['keypoints_2d'])
    assert not torch.equal(found['keypoints_2d'], flipped['keypoints_2d'])
    assert torch.equal(found['labelled'], data['labelled'])
    assert found['keypoints_3d'][2:].isnan().all()
    del data['labelled']
    assert 'undisturbed_2d' not in preprocessor(data, training=True)
    assert 'undisturbed_2d' not in flipped


@BACKBONES.register_module(force=True)
class NoisyNet(TinyNet):
    """With batch norm and dropout, which see the batch as a whole."""

    def __init__(self):
        super().__init__()
        self.norm, self.drop = nn.BatchNorm2d(3), nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.norm(self.net(x)))


def steps(unlabelled, count=3):
    """Train on batches with or without unlabelled windows; return the state."""
    torch.manual_seed(0)
    model = PoseLifter(
        backbone=dict(type='NoisyNet'),
        skeleton='h36m17',
        losses=dict(pose=dict(type='MPJPELoss')),
        flip_prob=0.5,
        augmentations=[dict(type='DetectorNoise', sigma=5.0)],
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    data = batch(labelled=20, total=50)
    if not unlabelled:
        data = dict(first(data, 20), labelled=data['labelled'][:20])
    for _ in range(count):
        prepared = model.data_preprocessor(data, training=True)
        optimizer.zero_grad()
        sum(model(**prepared, mode='loss').values()).backward()
        optimizer.step()
    return model.state_dict(), torch.rand(1)


def test_windows_that_no_loss_uses_leave_no_trace():
    (mixed, next_mixed), (alone, next_alone) = steps(True), steps(False)
    assert all(torch.equal(value, alone[name]) for name, value in mixed.items())
    assert torch.equal(next_mixed, next_alone)


def test_unlabelled_windows_are_disturbed_by_numbers_of_their_own():
    preprocessor = PoseDataPreprocessor(
        'h36m17', augmentations=[dict(type='DetectorNoise', sigma=5.0)]
    )
    data = batch(labelled=3, total=6)
    data['keypoints_2d'] = torch.zeros(6, 3, 17, 2)
    noise = preprocessor(data, training=True)['keypoints_2d']
    assert len(noise.flatten(1).unique(dim=0)) == 6
