"""The energy out of the backward pass that trains the loss-net."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from torch import nn

from sealpose.seal import (
    AdversarialObjective,
    GraphLossNet,
    LossNetTrainer,
    MarginObjective,
    MLPLossNet,
    NCEObjective,
    RegressionObjective,
)
from sealpose.seal.loss_nets.bones import BoneLossNet
from sealpose.seal.loss_nets.temporal import TemporalLossNet

from .test_trainer import Bfloat16, assert_same, batch
from .test_trainer_updates import contrast
from .tiny import TinyLifter, TinyPoses, run, seal

NETS = {
    'graph': lambda: GraphLossNet('h36m17', 16, 2, 2, dropout=0.0),
    'mlp': lambda: MLPLossNet('h36m17', 16, dropout=0.0),
    'bones': lambda: BoneLossNet('h36m17', hidden_dims=16),
}
OBJECTIVES = [
    MarginObjective(),
    NCEObjective(),
    RegressionObjective(),
    AdversarialObjective(),
]


def build(net='graph', objective=None, ranked=None, wrap=lambda optimizer: optimizer):
    torch.manual_seed(0)
    net = NETS[net]() if isinstance(net, str) else net
    optimizer = wrap(torch.optim.SGD(net.parameters(), lr=0.1))
    objective = objective or MarginObjective()
    trainer = LossNetTrainer(net, objective, optimizer, contrast=ranked)
    trainer.seed(5)
    return trainer


def by_hand(trainer, x, pred):
    """The energy before the update, by autograd."""
    net = copy.deepcopy(trainer.loss_net).train()
    pred = pred.clone().requires_grad_()
    energy = net(x, pred).mean()
    return energy.detach(), torch.autograd.grad(energy, pred)[0]


@pytest.mark.parametrize('objective', OBJECTIVES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize('net', NETS)
def test_energy_and_gradient_are_those_before_the_update(net, objective):
    trainer, plain = build(net, objective), build(net, objective)
    for _ in range(3):
        x, pred, true = batch(frames=2)
        expected = by_hand(trainer, x, pred)
        figures, energy, gradient = trainer.step_and_judge(x, pred, true)
        torch.testing.assert_close((energy, gradient), expected, rtol=1e-4, atol=1e-8)
        assert not energy.requires_grad and not gradient.requires_grad
        assert_same(figures, plain.step(x, pred, true))
        # The loss-net learns what it learns without judging.
        states = trainer.loss_net.state_dict(), plain.loss_net.state_dict()
        torch.testing.assert_close(*states, rtol=1e-5, atol=1e-7)


def test_satisfied_hinges_leave_no_trace_and_still_have_a_gradient():
    """In float64, where a trace would show."""
    net = NETS['graph']().double()
    trainer = build(net, MarginObjective(scale=1e-3))
    x, pred, true = (part.double() for part in batch(64))
    untouched = copy.deepcopy(trainer.loss_net)
    energies = [untouched.train()(x, y).detach() for y in (pred, true)]
    inactive = energies[0] - energies[1] > 1e-3 * (pred - true).norm(dim=-1).mean(-1)
    assert 0.2 < inactive.double().mean() < 0.8
    expected = by_hand(trainer, x, pred)
    _, energy, gradient = trainer.step_and_judge(x, pred, true)
    torch.testing.assert_close((energy, gradient), expected, rtol=1e-9, atol=1e-14)
    plain = LossNetTrainer(
        untouched,
        MarginObjective(scale=1e-3),
        torch.optim.SGD(untouched.parameters(), lr=0.1),
    )
    plain.step(x, pred, true)
    for name, weight in untouched.state_dict().items():
        torch.testing.assert_close(
            trainer.loss_net.state_dict()[name], weight, rtol=1e-12, atol=1e-15
        )


def test_where_all_hinges_are_satisfied_the_loss_net_stays():
    trainer = build('mlp', MarginObjective(scale=1e-6))
    x, _, true = batch()
    with torch.no_grad():
        for parameter in trainer.loss_net.parameters():
            parameter.mul_(3)
    # Truth and prediction exchanged where the energies lie the wrong way round.
    low, high = true, batch()[1]
    wrong = (trainer.loss_net(x, low) > trainer.loss_net(x, high))[..., None, None]
    low, high = torch.where(wrong, high, low), torch.where(wrong, low, high)
    before = copy.deepcopy(trainer.loss_net.state_dict())
    expected = by_hand(trainer, x, high)
    figures, *judged = trainer.step_and_judge(x, high, low)
    assert figures['violated'] == 0
    assert_same(before, trainer.loss_net.state_dict())
    torch.testing.assert_close(tuple(judged), expected, rtol=1e-4, atol=1e-8)


def test_other_poses_in_the_ranking_do_not_disturb():
    trainer = build(ranked=contrast('JointNoise', 'BoneScaling'))
    x, pred, true = batch()
    expected = by_hand(trainer, x, pred)
    _, *judged = trainer.step_and_judge(x, pred, true)
    torch.testing.assert_close(tuple(judged), expected, rtol=1e-4, atol=1e-8)


def test_accumulated_updates_do_not_scale_the_energy():
    def every_second(optimizer):
        wrapper = OptimWrapper(optimizer, accumulative_counts=2)
        wrapper.initialize_count_status(nn.Linear(1, 1), 0, 4)
        return wrapper

    trainer = build(wrap=every_second)
    x, pred, true = batch()
    expected = by_hand(trainer, x, pred)
    for _ in range(2):
        _, *judged = trainer.step_and_judge(x, pred, true)
        torch.testing.assert_close(tuple(judged), expected, rtol=1e-4, atol=1e-8)
    assert not torch.equal(expected[0], by_hand(trainer, x, pred)[0])


def test_half_precision():
    trainer = build(wrap=Bfloat16)
    x, pred, true = batch()
    expected = by_hand(trainer, x, pred)
    _, energy, gradient = trainer.step_and_judge(x, pred.bfloat16(), true)
    torch.testing.assert_close(energy, expected[0], rtol=0.05, atol=0.01)
    cosine = torch.cosine_similarity(gradient.flatten(), expected[1].flatten(), dim=0)
    assert cosine > 0.98 and 0.95 < gradient.norm() / expected[1].norm() < 1.05


def test_float16_is_refused():
    class Float16(Bfloat16):
        def optim_context(self, model):
            return torch.autocast('cpu', dtype=torch.float16)

    with pytest.raises(TypeError, match='float16 does not have.*bfloat16'):
        build(wrap=Float16).step_and_judge(*batch())


@pytest.mark.parametrize(
    ('net', 'updates', 'message'),
    [
        (lambda: TemporalLossNet('h36m17', hidden_dims=8), 1, 'got TemporalLossNet'),
        (
            lambda: MLPLossNet('h36m17', 8, batch_norm=True),
            1,
            'without batch norm.*got MLPLossNet',
        ),
        (lambda: MLPLossNet('h36m17', 8), 3, 'got 3 updates'),
    ],
)
def test_what_it_cannot_do_is_refused(net, updates, message):
    trainer = build(net())
    trainer.updates = updates
    before = copy.deepcopy(trainer.loss_net.state_dict())
    with pytest.raises(ValueError, match=message):
        trainer.step_and_judge(*batch(frames=2))
    assert_same(before, trainer.loss_net.state_dict())


def test_the_hook_refuses_it_before_a_run():
    with pytest.raises(ValueError, match="negatives='fresh' ranks another one"):
        seal(one_pass=True, negatives='fresh')
    few = TinyPoses()
    seal(one_pass=True).check(TinyLifter(), few)
    with pytest.raises(ValueError, match='got 2 updates'):
        seal(one_pass=True, updates=2).check(TinyLifter(), few)
    few.labelled = torch.arange(12) < 3
    seal().check(TinyLifter(), few)
    with pytest.raises(ValueError, match='some of these have no truth'):
        seal(one_pass=True).check(TinyLifter(), few)


class Passes(Hook):
    """Notes how many poses the loss-net sees at a time."""

    def __init__(self, seal_hook):
        self.seal_hook, self.sizes = seal_hook, []

    def before_train(self, runner):
        self.seal_hook.trainer.loss_net.register_forward_hook(
            lambda net, args, output: self.sizes.append(len(args[0]))
        )


def test_a_run_takes_one_pass_an_iteration_and_starts_after_the_warm_up(tmp_path):
    sizes = []
    for one_pass in (False, True):
        hook = seal(one_pass=one_pass, warmup_iters=2)
        passes = Passes(hook)
        run(tmp_path, hook, passes)
        sizes.append(passes.sizes)
    # Truth and prediction together, then the prediction alone.
    assert sizes == [[8, 8] + 4 * [8, 4], 6 * [8]]
