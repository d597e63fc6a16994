"""The energy of what the pose-net predicts in train mode, or at test time."""

import pytest
import torch
from torch import nn

from sealpose.seal import LossNetTrainer, MarginObjective, MLPLossNet
from sealpose.seal.arguments import at_inference

from .tiny import TinyLifter, pose_weights, run, same, seal

INFERENCE = {'energy_at': 'inference'}
RATIO = {'energy_weight': None, 'energy_ratio': 0.3, **INFERENCE}


class Watched(TinyLifter):
    """Has no loss but the energy, and keeps its gradient."""

    def forward(self, keypoints_2d, keypoints_3d, mode='tensor'):
        losses = super().forward(keypoints_2d, keypoints_3d, mode)
        if mode == 'loss':
            losses['loss_pose'] = 0 * losses['loss_pose']
            sum(losses.values()).backward(retain_graph=True)
            self.gradient = self.net[0].weight.grad.clone()
            self.net[0].weight.grad = None
        return losses


def test_the_energy_acts_through_the_eval_mode():
    model, hook = Watched(), seal(energy_weight=0.5, **INFERENCE)
    x, y = torch.randn(4, 1, 17, 2), torch.randn(4, 1, 17, 3)
    net = MLPLossNet('h36m17', 16)
    seen = []
    hook.trainer = LossNetTrainer(
        net, MarginObjective(), torch.optim.SGD(net.parameters(), lr=0.1)
    )
    hook.attach(model)
    step = hook.trainer.step
    hook.trainer.step = lambda *args: seen.extend(args) or step(*args)
    losses = model(x, y, mode='loss')
    model.net.eval()
    without_dropout = model.predict(x)
    torch.testing.assert_close(seen[1], without_dropout)
    energy = 0.5 * net.eval()(x, without_dropout).mean()
    torch.testing.assert_close(losses['loss_energy'], energy)
    (by_hand,) = torch.autograd.grad(energy, model.net[0].weight)
    torch.testing.assert_close(model.gradient, by_hand)


def test_one_pass_serves_the_loss_net_and_the_energy(tmp_path):
    runners = [run(tmp_path, hook) for hook in (seal(**INFERENCE), seal())]
    assert [runner.model.fresh_calls for runner in runners] == [6, 0]
    assert not same(*map(pose_weights, runners))


def test_without_weight_it_is_the_baseline_bit_for_bit(tmp_path):
    runners = [
        run(tmp_path, *hooks) for hooks in ((), (seal(energy_weight=0.0, **INFERENCE),))
    ]
    assert same(*map(pose_weights, runners))


def test_auto_looks_for_dropout(tmp_path):
    with_dropout, without = TinyLifter(), TinyLifter()
    without.net[1] = nn.Dropout(0.0)
    calls = [
        run(tmp_path, seal(energy_at='auto'), model=model, epochs=1).model.fresh_calls
        for model in (with_dropout, without)
    ]
    assert calls == [3, 0]


def test_ratio_is_that_of_the_losses_at_the_same_prediction(tmp_path):
    hook = seal(**RATIO)
    model = TinyLifter()
    asked = []
    pose_loss = model.pose_loss
    model.pose_loss = lambda pred, **kwargs: asked.append(pred) or pose_loss(pred)
    run(tmp_path, hook, model=model, epochs=1)
    # In turn the prediction of the losses, and that of the energy.
    assert len(asked) == 6
    assert not torch.equal(asked[0], asked[1])
    assert asked[1].requires_grad


def test_a_model_that_cannot_is_refused():
    class Poor(nn.Module):
        skeleton = TinyLifter.skeleton
        energy_fn = None

    with pytest.raises(TypeError, match=r'Poor has no pose_loss'):
        at_inference('inference', Poor())
    assert not at_inference('auto', Poor())


def test_stop_and_resume_equals_no_stop(tmp_path):
    def train(name, epochs, **kwargs):
        hook = seal(**RATIO)
        runner = run(
            tmp_path / name, {'type': 'EpochSeedHook'}, hook, epochs=epochs, **kwargs
        )
        return pose_weights(runner), hook.trainer.loss_net.state_dict()

    straight = train('straight', 2)
    train('stopped', 1)
    resumed = train('stopped', 2, resume=True)
    assert all(same(*pair) for pair in zip(straight, resumed, strict=True))
