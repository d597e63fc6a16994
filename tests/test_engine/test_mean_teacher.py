"""The teacher: an average of the backbone, its pseudo-labels, its place on disk."""

import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from sealpose.engine.hooks import MeanTeacherHook
from sealpose.skeletons import H36M17


class Pair(nn.Module):
    """What the hook needs of a model."""

    skeleton = H36M17

    def __init__(self):
        super().__init__()
        self.backbone = Scale()
        self.consistency_fn = None


class Scale(nn.Module):
    """Scales the 2D; the depth does not tell left from right."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.factor * torch.cat([x, x[..., :1] ** 2], -1)


@pytest.fixture
def runner():
    return SimpleNamespace(model=Pair(), iter=0)


def start(runner, **kwargs):
    hook = MeanTeacherHook(**kwargs)
    hook.before_train(runner)
    return hook


def test_teacher_is_the_average_of_the_weights(runner):
    hook = start(runner, decay=0.9)
    # The first iteration is copied, the next are averaged.
    for factor in (2.0, 3.0, 5.0):
        runner.model.backbone.factor.data.fill_(factor)
        hook.after_train_iter(runner)
    expected = 0.9 * (0.9 * 2 + 0.1 * 3) + 0.1 * 5
    assert hook.teacher.module.factor.item() == pytest.approx(expected)


def test_loss_is_the_distance_from_the_teacher(runner):
    hook = start(runner, weight=3.0, warmup_iters=0)
    x = torch.randn(4, 1, 17, 2)
    own = runner.model.backbone(x)
    # This network does not tell left from right: the mirrored prediction agrees.
    assert hook.consistency_fn(x, own)['loss_consistency'].item() < 1e-6
    off = own + torch.tensor([0.3, 0.0, 0.4])
    losses = runner.model.consistency_fn(x, off)
    assert losses['loss_consistency'].item() == pytest.approx(3 * 0.5, rel=1e-5)
    losses['loss_consistency'].backward()
    assert runner.model.backbone.factor.grad is not None
    assert hook.teacher.module.factor.grad is None
    hook.after_train(runner)
    assert runner.model.consistency_fn is None


def test_weight_grows_as_published():
    hook = MeanTeacherHook(weight=2.0, warmup_iters=100)
    assert hook.weight_at(0) == pytest.approx(2 * math.exp(-5))
    assert hook.weight_at(50) == pytest.approx(2 * math.exp(-1.25))
    assert hook.weight_at(100) == hook.weight_at(500) == 2.0


def test_data_without_unlabelled_windows_are_refused():
    with pytest.raises(TypeError, match='of type FewLabels, but got list'):
        MeanTeacherHook().check(None, [])


def test_resuming_a_run_without_teacher_is_refused():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    runner = SimpleNamespace(optim_wrapper=OptimWrapper(optimizer), _resume=True)
    with pytest.raises(ValueError, match='no entry `mean_teacher`'):
        MeanTeacherHook().after_load_checkpoint(runner, {})
