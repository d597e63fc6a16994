from functools import partial

import pytest
import torch

from sealpose.seal import LossNetTrainer, MarginObjective, MLPLossNet
from sealpose.seal.energy_term import EnergyTerm
from sealpose.seal.schedule import EnergyWeight, Ramp


def make_trainer(net=None):
    torch.manual_seed(0)
    net = MLPLossNet('h36m17', 16) if net is None else net
    return LossNetTrainer(
        net, MarginObjective(), torch.optim.SGD(net.parameters(), lr=0.1)
    )


def batch():
    torch.manual_seed(1)
    x, y = torch.randn(4, 2, 17, 2), torch.randn(4, 2, 17, 3)
    return x, (y + 0.1 * torch.randn_like(y)).requires_grad_(), y


def apply(term, trainer, x, pred, *args):
    return term(partial(trainer.energy_and_gradient, x, pred), pred, *args)


def pose_loss(pred, true):
    return (pred - true).norm(dim=-1).mean()


def grad(value, pred):
    return torch.autograd.grad(value, pred, retain_graph=True)[0]


def test_value_and_gradient_are_those_of_the_weighted_energy():
    trainer, (x, pred, _) = make_trainer(), batch()
    term = EnergyTerm(EnergyWeight(0.25))
    value, figures = apply(term, trainer, x, pred, None, 0)
    # By autograd through the loss-net in eval mode.
    energy = trainer.loss_net.eval()(x, pred).mean()
    torch.testing.assert_close(value, 0.25 * energy)
    torch.testing.assert_close(grad(value, pred), 0.25 * grad(energy, pred))
    assert figures.keys() == {'energy_pred'}
    torch.testing.assert_close(figures['energy_pred'], energy.detach())


def test_gradient_reaches_the_pose_net_and_not_the_loss_net():
    trainer, (x, _, _) = make_trainer(), batch()
    pose_net = torch.nn.Linear(2, 3)
    value, _ = apply(EnergyTerm(EnergyWeight(2.0)), trainer, x, pose_net(x), None, 0)
    value.backward()
    got = pose_net.weight.grad.clone()
    pose_net.zero_grad()
    (2 * trainer.loss_net.eval()(x, pose_net(x)).mean()).backward()
    torch.testing.assert_close(got, pose_net.weight.grad)
    trainer.loss_net.zero_grad()
    apply(EnergyTerm(EnergyWeight(2.0)), trainer, x, pose_net(x), None, 0)[0].backward()
    assert all(p.grad is None for p in trainer.loss_net.parameters())


def test_without_weight_nothing_is_computed():
    net = MLPLossNet('h36m17', 16)
    trainer, (x, pred, true) = make_trainer(net), batch()
    calls = []
    net.register_forward_hook(lambda *args: calls.append(1))
    late = EnergyWeight(0.5, warmup_iters=3)
    for by_ratio in (False, True):
        term = EnergyTerm(late, by_ratio)
        loss = pose_loss(pred, true)
        assert apply(term, trainer, x, pred, loss, 2) == (None, {})
        assert term.weight(2) == 0 and not calls
        assert apply(term, trainer, x, pred, loss, 3)[0] is not None
        assert calls.pop() and not calls
    never = EnergyTerm(EnergyWeight(0.0))
    assert apply(never, trainer, x, pred, None, 9) == (None, {})


def test_ratio_sets_the_norm_of_the_gradient():
    trainer, (x, pred, true) = make_trainer(), batch()
    ramp = Ramp(end=10, start_factor=0.5)
    term = EnergyTerm(EnergyWeight(0.2, ramp=ramp), by_ratio=True)
    loss = 3 * pose_loss(pred, true)
    value, figures = apply(term, trainer, x, pred, loss, 5)
    pull, push = grad(loss, pred), grad(value, pred)
    assert (push.norm() / pull.norm()).item() == pytest.approx(0.2 * 0.75, rel=1e-5)
    energy = trainer.loss_net.eval()(x, pred).mean()
    raw = grad(energy, pred)
    torch.testing.assert_close(push / push.norm(), raw / raw.norm())
    torch.testing.assert_close(value, term.weight(5) * energy)
    assert figures['gradient_ratio'].item() == pytest.approx(
        (raw.norm() / pull.norm()).item(), rel=1e-5
    )
    cosine = torch.cosine_similarity(raw.flatten(), pull.flatten(), dim=0)
    torch.testing.assert_close(figures['gradient_cosine'], cosine)


def test_ratio_does_not_see_the_size_of_the_energy():
    gradients = []
    for scale in (1.0, 1000.0):
        trainer, (x, pred, true) = make_trainer(), batch()
        with torch.no_grad():
            trainer.loss_net.head.weight.mul_(scale)
        term = EnergyTerm(EnergyWeight(0.2), by_ratio=True)
        value, _ = apply(term, trainer, x, pred, pose_loss(pred, true), 0)
        gradients.append(grad(value, pred))
    torch.testing.assert_close(*gradients)


def test_a_weight_is_compared_too_but_does_not_change():
    trainer, (x, pred, true) = make_trainer(), batch()
    term = EnergyTerm(EnergyWeight(0.25))
    loss = pose_loss(pred, true)
    value, figures = apply(term, trainer, x, pred, loss, 0)
    alone, _ = apply(EnergyTerm(EnergyWeight(0.25)), trainer, x, pred, None, 0)
    assert torch.equal(value, alone)
    assert figures.keys() == {'energy_pred', 'gradient_ratio', 'gradient_cosine'}
    # The graph of the losses is still there for the training.
    expected = grad(loss, pred) + grad(alone, pred)
    (loss + value).backward()
    torch.testing.assert_close(pred.grad, expected)


def test_ratio_needs_the_other_losses():
    trainer, (x, pred, _) = make_trainer(), batch()
    term = EnergyTerm(EnergyWeight(0.2), by_ratio=True)
    with pytest.raises(TypeError, match='without `pose_loss`.* set energy_weight'):
        apply(term, trainer, x, pred, None, 0)
