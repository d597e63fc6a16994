"""SEALHook with the ratio, contrasts, several updates, and windows without truth."""

import pytest
import torch
from mmengine.hooks import Hook

from sealpose.models import PoseLifter
from sealpose.seal import MLPLossNet

from .tiny import (
    LOSS_NET,
    TinyLifter,
    TinyPoses,
    make_runner,
    pose_weights,
    run,
    same,
    seal,
)

CONTRAST = {
    'negatives': [{'type': 'JointNoise', 'std': 0.1}, {'type': 'BoneRotation'}],
    'corrections': [{'type': 'TrueBoneLengths'}, {'type': 'Symmetrised'}],
}
# With an end of its own: mmengine's is that of the run, which resuming changes here.
HALVING = [{'type': 'ExponentialLR', 'gamma': 0.5, 'by_epoch': True, 'end': 100}]
RATIO = {'energy_weight': None, 'energy_ratio': 0.5}


class Gradients(TinyLifter):
    """Keeps the norms of the gradients of both losses at the prediction."""

    def forward(self, keypoints_2d, keypoints_3d, mode='tensor'):
        if not hasattr(self, 'norms'):
            self.norms = []
        predict, kept = self.predict, []
        self.predict = lambda x: kept.append(predict(x)) or kept[-1]
        losses = super().forward(keypoints_2d, keypoints_3d, mode)
        del self.predict
        if mode == 'loss' and 'loss_energy' in losses:
            self.norms.append(
                tuple(
                    torch.autograd.grad(losses[name], kept[0], retain_graph=True)[0]
                    .norm()
                    .item()
                    for name in ('loss_pose', 'loss_energy')
                )
            )
        return losses


class Rates(Hook):
    """Keeps both learning rates of every iteration."""

    def __init__(self, seal_hook):
        self.seal_hook, self.pose, self.seal = seal_hook, [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.pose += runner.optim_wrapper.get_lr()['lr']
        self.seal += self.seal_hook.trainer.optim_wrapper.get_lr()['lr']


class FewLabels(TinyLifter):
    """The second half of every batch has no truth but ``unknown``."""

    def __init__(self, unknown):
        super().__init__()
        self.unknown = unknown
        self.gradients = []

    def forward(self, keypoints_2d, keypoints_3d, mode='tensor'):
        pred, target = self.predict(keypoints_2d), keypoints_3d.clone()
        target[2:] = self.unknown
        loss = (pred - target)[:2].norm(dim=-1).mean()
        labelled = torch.tensor([True, True, False, False])
        more = self.energy_fn(keypoints_2d, pred, target, labelled, pose_loss=loss)
        pred.register_hook(self.gradients.append)
        return {'loss_pose': loss, **more}


def test_ratio_holds_between_the_gradients(tmp_path):
    model = Gradients()
    runner = run(tmp_path, seal(**RATIO, warmup_iters=1), model=model)
    assert len(model.norms) == 5
    (pose, energy), *later = model.norms
    assert energy / pose == pytest.approx(0.5, rel=1e-4)
    # Afterwards it holds on average, not in every iteration.
    assert all(0.05 < energy / pose < 5 for pose, energy in later)
    scalars = runner.message_hub.log_scalars
    for name in ('gradient_ratio', 'gradient_cosine', 'energy_weight'):
        values = scalars[f'train/seal_{name}'].data[0]
        assert len(values) == 4 and torch.tensor(values).isfinite().all()
    weight = scalars['train/seal_energy_weight'].data[0]
    ratio = scalars['train/seal_gradient_ratio'].data[0]
    # Iteration 1, the first with energy, is the only one in its interval's mean.
    assert weight[0] == pytest.approx(0.5 / ratio[0], rel=1e-4)


def test_ratio_needs_a_model_that_tells_its_loss(tmp_path):
    with pytest.raises(TypeError, match='without `pose_loss`'):
        run(tmp_path, seal(**RATIO), model=TinyLifter(tells_loss=False))
    runner = run(tmp_path, seal(), model=TinyLifter(tells_loss=False), epochs=1)
    names = runner.message_hub.log_scalars
    assert 'train/seal_energy_pred' in names
    assert 'train/seal_gradient_ratio' not in names


def test_pose_lifter_tells_its_loss(tmp_path):
    model = PoseLifter(
        backbone={'type': 'SimpleBaseline', 'channels': 16},
        skeleton='h36m17',
        losses={'pose': {'type': 'MPJPELoss'}},
    )
    runner = run(tmp_path, seal(**RATIO, contrast=CONTRAST), model=model, epochs=1)
    assert 'train/seal_gradient_ratio' in runner.message_hub.log_scalars
    assert all(value.isfinite().all() for value in pose_weights(runner).values())


def test_stop_and_resume_equals_no_stop_with_all_of_it(tmp_path):
    def train(name, epochs, **kwargs):
        hook = seal(**RATIO, contrast=CONTRAST, updates=2, follow_lr=True)
        rates = Rates(hook)
        hooks = [{'type': 'EpochSeedHook'}, hook, rates]
        runner = run(
            tmp_path / name, *hooks, epochs=epochs, param_scheduler=HALVING, **kwargs
        )
        weight = hook.energy_term.weight(0)
        states = pose_weights(runner), hook.trainer.state_dict()
        return *states, weight, rates.seal[-3:]

    checkpoint = {'checkpoint': {'type': 'CheckpointHook', 'interval': 1}}
    pose, loss_net, weight, rates = train('straight', 3)
    train('stopped', 2, default_hooks=checkpoint)
    resumed = train('stopped', 3, resume=True)
    assert same(pose, resumed[0])
    assert same(loss_net['loss_net'], resumed[1]['loss_net'])
    first, second = (each['optimizer']['state'] for each in (loss_net, resumed[1]))
    assert all(same(first[index], second[index]) for index in first)
    assert weight == resumed[2]
    assert rates == resumed[3] == pytest.approx([0.25e-2] * 3)


def test_random_contrasts_leave_the_pose_net_its_random_numbers(tmp_path):
    hook = seal(energy_weight=0.0, contrast=CONTRAST, updates=3)
    plain, beside = run(tmp_path), run(tmp_path, hook)
    assert same(pose_weights(plain), pose_weights(beside))


def test_contrast_and_updates_reach_the_loss_net(tmp_path):
    options = [
        {},
        {'updates': 2},
        {'contrast': {'negatives': CONTRAST['negatives']}},
        {'contrast': {'corrections': CONTRAST['corrections']}},
    ]
    results = []
    for each in options:
        hook = seal(energy_weight=0.0, **each)
        run(tmp_path, hook, epochs=1)
        results.append(hook.trainer.loss_net.head.weight.flatten())
    assert torch.stack(results).unique(dim=0).shape[0] == len(options)


def test_learning_rate_follows_that_of_the_model(tmp_path):
    for follow, last in ((True, 0.5e-2), (False, 1e-2)):
        hook = seal(follow_lr=follow)
        rates = Rates(hook)
        run(tmp_path, hook, rates, param_scheduler=HALVING)
        assert rates.pose == pytest.approx([0.05] * 3 + [0.025] * 3)
        assert rates.seal == pytest.approx([1e-2] * 3 + [last] * 3)
    hook = seal(follow_lr=True)
    rates = Rates(hook)
    run(tmp_path, hook, rates, epochs=1)
    assert rates.seal == pytest.approx([1e-2] * 3)


def test_every_group_of_the_loss_net_follows(tmp_path):
    optim_wrapper = {
        'optimizer': {'type': 'SGD', 'lr': 0.1},
        'paramwise_cfg': {'custom_keys': {'head': {'lr_mult': 0.1}}},
    }
    hook = seal(follow_lr=True, optim_wrapper=optim_wrapper)
    run(tmp_path, hook, param_scheduler=HALVING)
    groups = hook.trainer.optim_wrapper.param_groups
    assert {round(group['lr'], 6) for group in groups} == {0.05, 0.005}


@pytest.mark.parametrize('weighing', [{}, RATIO])
def test_truth_that_is_not_known_reaches_nothing(tmp_path, weighing):
    results = []
    for unknown in (torch.nan, 1e3):
        hook, model = seal(contrast=CONTRAST, **weighing), FewLabels(unknown)
        runner = run(tmp_path, hook, model=model, epochs=1)
        states = {
            **pose_weights(runner),
            **{f'seal.{k}': v for k, v in hook.trainer.loss_net.state_dict().items()},
        }
        assert all(value.isfinite().all() for value in states.values())
        results.append(states)
        # Of the unlabelled half only the energy has a gradient.
        assert len(model.gradients) == 3
        for gradient in model.gradients:
            assert gradient[2:].isfinite().all() and gradient[2:].any()
    assert same(*results)


def test_the_loss_net_sees_labelled_windows_alone(tmp_path):
    hook, model = seal(), FewLabels(torch.nan)
    runner, sizes = make_runner(tmp_path, hook, model=model, epochs=1), []

    def note(net, args, out):
        if isinstance(net, MLPLossNet):
            sizes.append((net.training, len(out)))

    handle = torch.nn.modules.module.register_module_forward_hook(note)
    runner.train()
    handle.remove()
    # Two labelled windows, prediction and truth; then the energy of all four.
    assert sizes == [(True, 4), (False, 4)] * 3


@pytest.mark.parametrize(
    ('contrast', 'message'),
    [
        ({'negatives': [{'type': 'JointNoize'}]}, 'Did you mean JointNoise'),
        ({'corrections': [{'type': 'Symmetrized'}]}, 'Did you mean Symmetrised'),
        # A correction is no negative.
        ({'negatives': [{'type': 'TrueBoneLengths'}]}, 'negative .* not registered'),
    ],
)
def test_unknown_contrasts_are_found_before_the_run(contrast, message):
    with pytest.raises(KeyError, match=message):
        seal(contrast=contrast).check(TinyLifter(), TinyPoses())


def test_a_sound_config_passes_the_check():
    seal(contrast=CONTRAST, **RATIO).check(TinyLifter(), TinyPoses())
    distance = {'type': 'MarginObjective', 'distance': 'bone_length'}
    # The skeleton comes from the model.
    loss_net = {key: value for key, value in LOSS_NET.items() if key != 'skeleton'}
    seal(objective=distance, loss_net=loss_net).check(TinyLifter(), TinyPoses())


@pytest.mark.parametrize(
    'weights',
    [
        {'energy_weight': 0.1, 'energy_ratio': 0.1},
        {'energy_weight': None, 'energy_ratio': None},
        {'energy_weight': 0.0, 'energy_ratio': 0.0},
    ],
)
def test_weight_or_ratio_and_not_both(weights):
    with pytest.raises(ValueError, match='give energy_weight.*or energy_ratio'):
        seal(**weights)
    with pytest.raises(ValueError, match='must not be negative'):
        seal(energy_weight=None, energy_ratio=-0.1)
