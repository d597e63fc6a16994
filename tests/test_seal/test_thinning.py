"""The loss-net sees every n-th window of a batch."""

import pytest
import torch
from torch import nn

from sealpose.models import PoseLifter
from sealpose.seal import LossNetTrainer, MarginObjective, MLPLossNet

from .tiny import TinyLifter, run, seal

WINDOWS = 7
JUDGED = [0, 3, 6]


class Spy(LossNetTrainer):
    """Keeps what the loss-net learns from."""

    def step(self, *poses):
        self.learnt = poses
        return super().step(*poses)


def lifter():
    torch.manual_seed(0)
    return PoseLifter(
        dict(type='SimpleBaseline', channels=16, num_stages=1, dropout=0.5),
        'h36m17',
        dict(pose=dict(type='MPJPELoss')),
    ).train()


def attach(model, **kwargs):
    """Let a model train a loss-net on every third window."""
    hook = seal(thinning=3, **kwargs)
    torch.manual_seed(1)
    net = MLPLossNet('h36m17', 16, dropout=0.0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    hook.trainer = Spy(net, MarginObjective(), optimizer)
    hook.attach(model)
    return hook, net


def batch():
    torch.manual_seed(2)
    return torch.randn(WINDOWS, 1, 17, 2), torch.randn(WINDOWS, 1, 17, 3)


def by_hand(net, x, pred):
    """Mean energy of the judged windows, and its gradient at all."""
    energy = net.eval()(x[JUDGED], pred[JUDGED]).mean()
    return energy, torch.autograd.grad(energy, pred, retain_graph=True)[0]


def in_training(model, x, y):
    kept = []
    handle = model.backbone.register_forward_hook(
        lambda net, args, out: kept.append(out)
    )
    losses = model(x, y, mode='loss')
    handle.remove()
    return kept, losses


def test_in_training_the_energy_acts_on_these_windows_alone():
    model = lifter()
    hook, net = attach(model, energy_weight=0.5)
    x, y = batch()
    (pred,), losses = in_training(model, x, y)
    energy, gradient = by_hand(net, x, pred)
    torch.testing.assert_close(losses['loss_energy'], 0.5 * energy)
    (got,) = torch.autograd.grad(losses['loss_energy'], pred)
    torch.testing.assert_close(got, 0.5 * gradient)
    assert got[JUDGED].any() and not got[[1, 2, 4, 5]].any()
    for learnt, whole in zip(hook.trainer.learnt, (x, pred, y), strict=True):
        assert torch.equal(learnt, whole[JUDGED])


def test_at_inference_these_windows_alone_are_predicted_again():
    model = lifter()
    hook, net = attach(model, energy_weight=0.5, energy_at='inference')
    x, y = batch()
    (_, again), losses = in_training(model, x, y)
    assert len(again) == len(JUDGED)
    model.backbone.eval()
    torch.testing.assert_close(again, model.backbone(x[JUDGED]))
    energy = net.eval()(x[JUDGED], again).mean()
    torch.testing.assert_close(losses['loss_energy'], 0.5 * energy)
    assert torch.equal(hook.trainer.learnt[1], again)


@pytest.mark.parametrize('energy_at', ['training', 'inference'])
def test_the_ratio_is_that_of_means_over_these_windows(energy_at):
    model = lifter()
    model.backbone.eval()  # both predictions the same
    model.backbone.train = lambda mode=True: model.backbone
    attach(model, energy_weight=None, energy_ratio=0.3, energy_at=energy_at)
    x, y = batch()
    kept, losses = in_training(model, x, y)
    pred = kept[-1]
    (push,) = torch.autograd.grad(losses['loss_energy'], pred, retain_graph=True)
    known = model.backbone(x).detach()[JUDGED].requires_grad_()
    pose_loss = (known - y[JUDGED]).norm(dim=-1).mean()
    (pull,) = torch.autograd.grad(pose_loss, known)
    # In training the pull is that of the mean over all windows, of these three.
    expected = pull.norm() * (len(JUDGED) * 3 / WINDOWS if len(kept) == 1 else 1)
    torch.testing.assert_close(push.norm(), 0.3 * expected, rtol=1e-4, atol=0)


def test_few_labels_keep_their_share():
    model = lifter()
    hook, _ = attach(model, energy_weight=0.5, energy_at='inference')
    x, y = batch()
    labelled = torch.arange(WINDOWS) < 4
    y[~labelled] = torch.nan
    losses = model(x, y, mode='loss', labelled=labelled)
    # Windows 0, 3 and 6 are judged; the last one has no truth.
    assert torch.equal(hook.trainer.learnt[2], y[[0, 3]])
    assert losses['loss_energy'].isfinite()


def test_losses_at_inference_share_the_prediction():
    model = lifter()
    model.losses_at_inference = nn.ModuleDict({'again': nn.Identity()})
    model.losses_at_inference['again'].forward = lambda pred, *_: pred.square().mean()
    hook, _ = attach(model, energy_weight=0.5, energy_at='inference')
    x, y = batch()
    kept, _ = in_training(model, x, y)
    assert [len(pred) for pred in kept] == [WINDOWS, WINDOWS]
    assert torch.equal(hook.trainer.learnt[1], kept[1][JUDGED])


def test_one_window_in_one_is_all(tmp_path):
    hooks = [seal(thinning=n, energy_at='inference') for n in (1, 2)]
    counts = []
    for hook in hooks:
        sizes = []
        model = TinyLifter()
        model.net.register_forward_hook(
            lambda net, args, out, sizes=sizes: sizes.append(len(out))
        )
        run(tmp_path, hook, model=model, epochs=1)
        counts.append(sizes)
    assert counts == [[4, 4] * 3, [4, 2] * 3]


@pytest.mark.parametrize('thinning', [0, 0.5])
def test_nonsense_is_refused(thinning):
    with pytest.raises(ValueError, match=f'1, 2, 3 ..., but got {thinning}'):
        seal(thinning=thinning)
