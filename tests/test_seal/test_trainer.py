import copy
import doctest
from contextlib import contextmanager, nullcontext

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch.utils._python_dispatch import TorchDispatchMode

from sealpose.seal import (
    GraphLossNet,
    LossNetTrainer,
    MarginObjective,
    MLPLossNet,
    NCEObjective,
)
from sealpose.seal import trainer as trainer_module


def loss_net(dropout=0.1):
    torch.manual_seed(0)
    return GraphLossNet('h36m17', 32, 4, 2, dropout=dropout)


def build(net=None, objective=None, lr=1e-3):
    net = loss_net() if net is None else net
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    return LossNetTrainer(net, objective or MarginObjective(), optimizer)


def batch(size=8, frames=1):
    generator = torch.Generator().manual_seed(1)
    shape = (size, frames, 17)
    y = torch.randn(*shape, 3, generator=generator) * 0.3
    noise = torch.randn(*shape, 3, generator=generator) * 0.3
    return y[..., :2].clone(), y + noise, y


def weights(net):
    return copy.deepcopy(net.state_dict())


def assert_same(before, after):
    for name, value in before.items():
        assert torch.equal(value, after[name]), name


def test_example_of_the_docstring_runs():
    found = doctest.DocTestFinder().find(
        LossNetTrainer, globs=vars(trainer_module), module=trainer_module
    )
    examples = [test for test in found if test.examples]
    assert examples
    runner = doctest.DocTestRunner()
    for test in examples:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize('objective', [MarginObjective(), NCEObjective()])
@pytest.mark.parametrize('kind', ['graph', 'mlp', 'mlp_bn'])
def test_steps_learn_to_rank(objective, kind):
    torch.manual_seed(0)
    net = loss_net(0.0)
    if kind != 'graph':
        net = MLPLossNet('h36m17', 64, dropout=0.0, batch_norm=kind == 'mlp_bn')
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    seal = LossNetTrainer(net, objective, optimizer)
    figures = [seal.step(*batch(32)) for _ in range(60)]
    first, last = figures[0], figures[-1]
    assert last['objective'] < 0.4 * first['objective']
    assert last['ranked_right'] > 0.95
    assert last['energy_gap'] > first['energy_gap']


def test_figures_belong_to_the_energies_before_the_update():
    seal = build(loss_net(0.0), lr=0.1)
    x, pred, true = batch(6, 3)
    with torch.no_grad():
        e_pred, e_true = seal.loss_net(x, pred), seal.loss_net(x, true)
    expected = {
        'objective': MarginObjective()(e_pred, e_true, pred, true),
        'energy_pred': e_pred.mean(),
        'energy_true': e_true.mean(),
        'energy_gap': (e_pred - e_true).mean(),
        'ranked_right': (e_pred > e_true).float().mean(),
        'violated': ((pred - true).norm(dim=-1).mean(-1) > e_pred - e_true)
        .float()
        .mean(),
    }
    figures = seal.step(x, pred, true)
    assert figures.keys() == expected.keys()
    for name, value in figures.items():
        assert value.shape == () and not value.requires_grad
        torch.testing.assert_close(value, expected[name], msg=name)


def test_step_leaves_the_prediction_alone():
    seal = build()
    x, pred, true = (part.requires_grad_() for part in batch())
    before = weights(seal.loss_net)
    seal.step(x, pred, true)
    assert pred.grad is None and x.grad is None and true.grad is None
    after = seal.loss_net.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_energy_reaches_the_prediction_alone():
    seal = build()
    x, pred, true = batch()
    seal.step(x, pred, true)
    x.requires_grad_()
    pred.requires_grad_()
    before = weights(seal.loss_net)
    energy = seal.energy(x, pred)
    energy.backward()
    assert pred.grad.abs().amin() > 0 and x.grad is None
    # mmengine zeroes after a step: what lands here would enter the next one.
    assert all(p.grad is None for p in seal.loss_net.parameters())
    assert all(p.requires_grad for p in seal.loss_net.parameters())
    assert_same(before, seal.loss_net.state_dict())
    with torch.no_grad():
        expected = seal.loss_net.eval()(x, pred).mean()
    torch.testing.assert_close(energy.detach(), expected)


def test_energy_between_steps_does_not_disturb_them():
    alone, used = build(), build()
    for seal in (alone, used):
        seal.seed(3)
        for _ in range(3):
            x, pred, true = batch()
            seal.step(x, pred, true)
            if seal is used:
                seal.energy(x, pred.requires_grad_()).backward()
    assert_same(alone.loss_net.state_dict(), used.loss_net.state_dict())


def test_truth_and_prediction_go_together_unless_batch_norm_mixes_them():
    for net, calls in ((loss_net(), 1), (MLPLossNet('h36m17', 8, batch_norm=True), 2)):
        seal, seen = build(net), []
        net.register_forward_pre_hook(lambda net, args, seen=seen: seen.append(args))
        x, pred, true = batch()
        seal.step(x, pred, true)
        assert len(seen) == calls
    torch.testing.assert_close(seen[0][1], true)
    torch.testing.assert_close(seen[1][1], pred)


def test_global_random_numbers_are_untouched():
    seal = build(loss_net(0.5))
    before = torch.get_rng_state()
    seal.step(*batch())
    seal.seed(7)
    seal.energy(*batch()[:2])
    assert torch.equal(before, torch.get_rng_state())


def test_global_random_numbers_are_untouched_by_a_failure():
    seal = build(loss_net(0.5))
    before = torch.get_rng_state()
    x, pred, true = batch()
    with pytest.raises(ValueError, match='batch, frames'):
        seal.step(x[:, :, :16], pred[:, :, :16], true[:, :, :16])
    assert torch.equal(before, torch.get_rng_state())


def test_own_stream_repeats_from_a_seed_and_moves_on():
    first = build(loss_net(0.5), lr=0.0)
    first.seed(5)
    figures = [first.step(*batch())['objective'] for _ in range(2)]
    torch.rand(3)
    first.seed(5)
    again = [first.step(*batch())['objective'] for _ in range(2)]
    assert figures == again
    assert figures[0] != figures[1]
    first.seed(6)
    assert first.step(*batch())['objective'] != figures[0]


def test_state_continues_bit_for_bit():
    def run(seal, steps, seed):
        seal.seed(seed)
        for _ in range(steps):
            seal.step(*batch())

    def fresh():
        net = loss_net()
        return LossNetTrainer(
            net, MarginObjective(), torch.optim.AdamW(net.parameters(), lr=1e-2)
        )

    straight, stopped, resumed = fresh(), fresh(), fresh()
    run(straight, 3, 0)
    run(straight, 3, 1)
    run(stopped, 3, 0)
    state = copy.deepcopy(stopped.state_dict())
    resumed.load_state_dict(state)
    run(resumed, 3, 1)
    assert_same(straight.loss_net.state_dict(), resumed.loss_net.state_dict())
    assert set(state) == {'loss_net', 'optimizer'}


def test_precision_does_not_depend_on_a_surrounding_autocast():
    x, pred, true = batch()
    outside, inside = build(loss_net(0.0)), build(loss_net(0.0))
    for _ in range(2):
        outside.step(x, pred, true)
        energy = outside.energy(x, pred)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            inside.step(x, pred, true)
            inside_energy = inside.energy(x, pred)
        assert torch.equal(energy, inside_energy)
    assert_same(outside.loss_net.state_dict(), inside.loss_net.state_dict())


class Bfloat16(OptimWrapper):
    """Mixed precision on the CPU."""

    @contextmanager
    def optim_context(self, model):
        with torch.autocast('cpu', dtype=torch.bfloat16), super().optim_context(model):
            yield


def test_mixed_precision_never_sees_old_weights():
    """The cache of a surrounding autocast would serve them to the second step."""
    nets = []
    for surrounding in (nullcontext(), torch.autocast('cpu', dtype=torch.bfloat16)):
        net = loss_net(0.0)
        wrapper = Bfloat16(torch.optim.SGD(net.parameters(), lr=0.1))
        seal = LossNetTrainer(net, MarginObjective(), wrapper)
        with surrounding:
            for _ in range(3):
                seal.step(*batch())
        nets.append(net.state_dict())
    assert_same(*nets)


def test_half_precision_predictions_are_accepted():
    x, pred, true = batch()
    seal = build()
    pred = pred.bfloat16().requires_grad_()
    figures = seal.step(x, pred, true)
    seal.energy(x, pred).backward()
    assert all(value.dtype == torch.float32 for value in figures.values())
    assert pred.grad.dtype == torch.bfloat16 and pred.grad.any()


class NoSync(TorchDispatchMode):
    """Refuses what would wait for a GPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert 'local_scalar_dense' not in str(func), 'a tensor was read on the host'
        assert 'nonzero' not in str(func)
        return func(*args, **(kwargs or {}))


def test_nothing_waits_for_the_device():
    seal = build()
    x, pred, true = batch()
    with NoSync():
        seal.step(x, pred, true)
        seal.energy(x, pred.requires_grad_()).backward()
        with pytest.raises(AssertionError, match='read on the host'):
            float(true.sum())


def test_frozen_trainer_scores_but_never_learns():
    seal = LossNetTrainer(loss_net())
    x, pred, true = batch()
    pred.requires_grad_()
    seal.energy(x, pred).backward()
    assert pred.grad.any()
    assert not any(p.requires_grad for p in seal.loss_net.parameters())
    assert set(seal.state_dict()) == {'loss_net'}
    with pytest.raises(RuntimeError, match='frozen'):
        seal.step(x, pred, true)


def test_mistakes_are_named():
    net = loss_net()
    with pytest.raises(ValueError, match='needs an objective and an optimizer'):
        LossNetTrainer(net, MarginObjective())
    pose_net = torch.nn.Linear(2, 3)
    both = [*net.parameters(), *pose_net.parameters()]
    for optimizer in (
        torch.optim.SGD(both, 0.1),
        OptimWrapper(torch.optim.SGD(both, 0.1)),
    ):
        with pytest.raises(
            ValueError, match="2 parameters that are not the loss-net's"
        ):
            LossNetTrainer(net, MarginObjective(), optimizer)
