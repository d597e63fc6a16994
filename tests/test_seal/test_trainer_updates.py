"""Several updates per step, random contrasts, and the energy with its gradient."""

import pytest
import torch

from sealpose.registry import CORRECTIONS, NEGATIVES
from sealpose.seal import (
    Contrast,
    GraphLossNet,
    LossNetTrainer,
    MarginObjective,
    MLPLossNet,
    NCEObjective,
)
from sealpose.skeletons import H36M17

from .test_trainer import assert_same, batch, weights


class Spy:
    """A negative that keeps what it returned."""

    def __init__(self, make):
        self.make, self.seen = make, []

    def __call__(self, *args):
        self.seen.append(self.make(*args))
        return self.seen[-1]


def contrast(*negatives, corrections=('TrueBoneLengths', 'Symmetrised')):
    made = [NEGATIVES.build({'type': name}) for name in negatives]
    corrected = [CORRECTIONS.build({'type': name}) for name in corrections]
    return Contrast([Spy(each) for each in made], corrected, H36M17)


def build(*negatives, updates=1, dropout=0.5, objective=None, **kwargs):
    torch.manual_seed(0)
    net = GraphLossNet('h36m17', 16, 2, 2, dropout=dropout)
    trainer = LossNetTrainer(
        net,
        objective or MarginObjective(),
        torch.optim.SGD(net.parameters(), lr=0.1),
        contrast=contrast(*negatives, **kwargs),
        updates=updates,
    )
    trainer.seed(5)
    return trainer


def test_two_updates_are_two_steps():
    once, twice = build('JointNoise'), build('JointNoise', updates=2)
    figures = [once.step(*batch()) for _ in range(2)]
    both = twice.step(*batch())
    assert_same(once.loss_net.state_dict(), twice.loss_net.state_dict())
    assert_same(figures[1], both)
    assert figures[0]['objective'] != figures[1]['objective']


def test_every_update_has_its_own_negatives():
    trainer = build('JointNoise', 'BoneRotation', updates=2)
    trainer.step(*batch())
    for negative in trainer.contrast.negatives:
        assert len(negative.seen) == 2
        assert not torch.equal(*negative.seen)


def test_every_update_has_its_own_dropout():
    torch.manual_seed(0)
    net, outputs = MLPLossNet('h36m17', 32), []
    net.register_forward_hook(lambda net, args, out: outputs.append(out.detach()))
    # At rate 0 the weights stay, so only dropout tells the updates apart.
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    trainer = LossNetTrainer(net, MarginObjective(), optimizer, updates=3)
    trainer.step(*batch())
    assert len(outputs) == 3
    assert not torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[1], outputs[2])


def test_global_random_numbers_are_untouched_by_random_negatives():
    names = ('JointNoise', 'BoneRotation', 'BoneScaling', 'SideSwap', 'OtherPose')
    trainer = build(*names, updates=2)
    before = torch.get_rng_state()
    trainer.step(*batch())
    assert torch.equal(before, torch.get_rng_state())
    # And they do not follow the global numbers either.
    other = build(*names, updates=2)
    torch.rand(7)
    other.step(*batch())
    assert_same(trainer.loss_net.state_dict(), other.loss_net.state_dict())


def test_figures_are_those_of_prediction_and_truth():
    trainer = build('JointNoise', dropout=0.0, objective=NCEObjective())
    x, pred, true = batch()
    with torch.no_grad():
        e_pred, e_true = trainer.loss_net(x, pred), trainer.loss_net(x, true)
    figures = trainer.step(x, pred, true)
    torch.testing.assert_close(figures['energy_pred'], e_pred.mean())
    torch.testing.assert_close(figures['energy_true'], e_true.mean())
    assert 'violated' not in figures


def test_objective_of_a_step_is_that_of_its_contrast():
    trainer = build('OtherPose', dropout=0.0)
    x, pred, true = batch()
    objective = MarginObjective()
    symmetrised, lengths = (
        make(x, pred, true, H36M17) for make in trainer.contrast.corrections[::-1]
    )
    others = true.roll(1, 0)
    with torch.no_grad():
        poses = (pred, true, others, lengths, symmetrised)
        e_pred, e_true, e_others, *e_better = (
            trainer.loss_net(x, pose) for pose in poses
        )
    pairs = [
        (
            objective(e_pred, e_true, pred, true)
            + objective(e_others, e_true, others, true)
        )
        / 2,
        objective(e_pred, e_better[0], pred, lengths),
        objective(e_pred, e_better[1], pred, symmetrised),
    ]
    figures = trainer.step(x, pred, true)
    torch.testing.assert_close(figures['objective'], sum(pairs) / 3)


def test_structure_is_learnt_from_corrections():
    """Prediction and correction differ in bone lengths alone."""
    torch.manual_seed(0)
    net = MLPLossNet('h36m17', 64, dropout=0.0)
    ranked = contrast(corrections=['TrueBoneLengths'])
    trainer = LossNetTrainer(
        net,
        MarginObjective(),
        torch.optim.Adam(net.parameters(), lr=3e-3),
        contrast=ranked,
    )
    x, pred, true = batch(32)
    better = ranked.poses(x, pred, true)[2]
    for _ in range(40):
        trainer.step(x, pred, true)
    right = (net(x, pred) > net(x, better)).float().mean()
    assert right > 0.9


@pytest.mark.parametrize('dropout', [0.0, 0.5])
def test_energy_and_gradient_are_those_of_autograd(dropout):
    trainer = build(dropout=dropout)
    x, pred, true = batch()
    trainer.step(x, pred, true)
    before = weights(trainer.loss_net)
    pred.requires_grad_()
    expected = trainer.energy(x, pred)
    expected.backward()
    stale = [None if p.grad is None else p.grad.clone() for p in _parameters(trainer)]
    for context in (torch.enable_grad(), torch.no_grad()):
        with context:
            energy, gradient = trainer.energy_and_gradient(x, pred)
        assert not energy.requires_grad and not gradient.requires_grad
        assert torch.equal(energy, expected.detach())
        torch.testing.assert_close(gradient, pred.grad)
    for parameter, grad in zip(_parameters(trainer), stale, strict=True):
        assert parameter.requires_grad
        assert (parameter.grad is None) == (grad is None)
    assert_same(before, trainer.loss_net.state_dict())


def _parameters(trainer):
    return list(trainer.loss_net.parameters())


def test_energy_and_gradient_in_half_precision():
    trainer = build()
    x, pred, _ = batch()
    energy, gradient = trainer.energy_and_gradient(x, pred.bfloat16())
    assert energy.dtype == torch.float32 and gradient.dtype == torch.bfloat16
