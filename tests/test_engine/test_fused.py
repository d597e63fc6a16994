import pytest
import torch

from sealpose.engine.fused import fused_optimizer

CPU = torch.device('cpu')


@pytest.mark.parametrize('kind', ['Adam', 'AdamW', torch.optim.AdamW])
def test_adam_is_fused_and_the_rest_stays(monkeypatch, kind):
    monkeypatch.setattr(torch, '__version__', '2.4.0+cpu')
    config = dict(type=kind, lr=1e-3)
    assert fused_optimizer(config, CPU) == dict(type=kind, lr=1e-3, fused=True)
    assert 'fused' not in config


def test_old_torch_has_no_fused_adam_on_the_cpu(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.3.1')
    config = dict(type='Adam')
    assert fused_optimizer(config, CPU) == config
    assert fused_optimizer(config, torch.device('cuda'))['fused']


@pytest.mark.parametrize(
    'config',
    [
        dict(type='SGD', lr=0.1),
        dict(type='Adam', fused=False),
        dict(type='Adam', foreach=True),
    ],
)
def test_other_optimizers_and_explicit_choices_are_left(config):
    assert fused_optimizer(config, CPU) == config


@pytest.mark.skipif(
    fused_optimizer(dict(type='Adam'), CPU) == dict(type='Adam'),
    reason='this torch has no fused Adam on the CPU',
)
def test_the_updates_are_the_same():
    def train(**fused):
        torch.manual_seed(0)
        net = torch.nn.Linear(5, 3)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2, **fused)
        for _ in range(5):
            optimizer.zero_grad()
            net(torch.ones(4, 5)).square().sum().backward()
            optimizer.step()
        return net.weight

    torch.testing.assert_close(train(fused=True), train(), rtol=1e-5, atol=1e-7)
