import torch
from torch import nn

from sealpose.engine import Bf16OptimWrapper


def test_computes_in_bfloat16_and_updates_in_float32():
    torch.manual_seed(0)
    net, x = nn.Linear(8, 4), torch.randn(16, 8)
    (exact,) = torch.autograd.grad(net(x).square().mean(), net.weight)
    before = net.weight.detach().clone()
    wrapper = Bf16OptimWrapper(torch.optim.SGD(net.parameters(), lr=0.5))
    with wrapper.optim_context(net):
        y = net(x)
        assert y.dtype == torch.bfloat16
        loss = y.float().square().mean()
    wrapper.update_params(loss)
    gradient = (before - net.weight.detach()) / 0.5
    assert gradient.dtype == torch.float32
    assert 0 < (gradient - exact).norm() < 0.02 * exact.norm()


def test_a_gradient_too_small_for_float16_arrives():
    """Without any scaling of the loss."""
    weight = nn.Parameter(torch.ones(4, 4))
    net = nn.ParameterList([weight])
    wrapper = Bf16OptimWrapper(torch.optim.SGD(net.parameters(), lr=1.0))
    with wrapper.optim_context(net):
        loss = (torch.ones(1, 4) @ weight).sum() * 1e-20
    wrapper.backward(loss)
    torch.testing.assert_close(
        weight.grad, torch.full((4, 4), 1e-20), rtol=0.01, atol=0
    )
