from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sealpose.engine.hooks import BNMomentumHook, EpochSeedHook


def test_batch_norm_momentum_decays_exponentially():
    runner = SimpleNamespace(model=nn.Sequential(nn.BatchNorm1d(2)), max_epochs=3)
    momenta = []
    for runner.epoch in range(3):
        BNMomentumHook(0.1, 0.001).before_train_epoch(runner)
        momenta.append(runner.model[0].momentum)
    assert momenta == pytest.approx([0.1, 0.01, 0.001])


def test_epoch_seed_depends_on_seed_and_epoch_alone():
    def draw(seed, epoch):
        EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
        return torch.rand(1).item()

    assert draw(0, 1) == draw(0, 1)
    assert len({draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1)}) == 4
