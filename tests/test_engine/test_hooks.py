import random
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from sealpose.engine import ResumableEpochLoop
from sealpose.engine.hooks import (
    BNMomentumHook,
    EpochSeedHook,
    PreemptionHook,
    WholeCheckpointHook,
)


def test_batch_norm_momentum_decays_exponentially():
    runner = SimpleNamespace(model=nn.Sequential(nn.BatchNorm1d(2)), max_epochs=3)
    momenta = []
    for runner.epoch in range(3):
        BNMomentumHook(0.1, 0.001).before_train_epoch(runner)
        momenta.append(runner.model[0].momentum)
    assert momenta == pytest.approx([0.1, 0.01, 0.001])


def test_random_numbers_depend_on_seed_epoch_and_iteration_alone():
    def draw(call, **numbers):
        runner = SimpleNamespace(**{'seed': 0, 'epoch': 0, 'iter': 0, **numbers})
        call(EpochSeedHook(), runner)
        return torch.rand(1).item(), np.random.rand(), random.random()

    for call, number in (
        (EpochSeedHook.before_train_epoch, 'epoch'),
        (EpochSeedHook.before_train_iter, 'iter'),
    ):
        assert draw(call, **{number: 1}) == draw(call, **{number: 1})
        drawn = {draw(call, seed=s, **{number: n}) for s in range(2) for n in range(2)}
        assert len(drawn) == 4
    assert draw(EpochSeedHook.before_train_epoch, epoch=1, iter=1) != draw(
        EpochSeedHook.before_train_iter, epoch=1, iter=1
    )


def test_signals_are_left_alone_where_a_run_could_not_go_on():
    loops = [object.__new__(loop) for loop in (EpochBasedTrainLoop, ResumableEpochLoop)]
    saver = WholeCheckpointHook()
    listening = []
    for loop in loops:
        for hooks in ([], [saver]):
            hook = PreemptionHook()
            hook.before_train(SimpleNamespace(train_loop=loop, hooks=hooks))
            listening.append(signal.getsignal(signal.SIGUSR1) == hook._note)
            hook.after_train(None)
            assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    assert listening == [False, False, False, True]


@pytest.mark.parametrize(('echo_seconds', 'reached'), [(60, []), (0, ['SIGUSR1'])])
def test_only_a_late_second_signal_acts_as_without_the_hook(
    monkeypatch, echo_seconds, reached
):
    """Slurm ends a job with SIGTERM twice, some milliseconds apart."""
    module = 'sealpose.engine.hooks.preemption'
    monkeypatch.setattr(f'{module}.ECHO_SECONDS', echo_seconds)
    others = []
    signal.signal(signal.SIGUSR1, lambda n, _: others.append(signal.Signals(n).name))
    hook = PreemptionHook()
    loop = object.__new__(ResumableEpochLoop)
    hook.before_train(SimpleNamespace(train_loop=loop, hooks=[WholeCheckpointHook()]))
    for _ in range(2):
        signal.raise_signal(signal.SIGUSR1)
    hook.after_train(None)
    assert (hook._received, others) == ('SIGUSR1', reached)
