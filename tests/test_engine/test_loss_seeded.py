import torch
from torch import nn

from sealpose.engine import LossSeededOptimWrapper


def test_gradient_is_that_of_half_the_squared_loss():
    weight = nn.Parameter(torch.tensor([3.0, -1.0]))
    wrapper = LossSeededOptimWrapper(torch.optim.SGD([weight], lr=0.1))
    loss = weight.square().sum()
    wrapper.backward(loss)
    # d/dw of (w·w)² / 2 is (w·w) 2w = 20 w.
    assert torch.equal(weight.grad, 20 * weight.detach())
