"""Outputs of a backbone whose parameters follow a formula, to notice any drift.

Entry i of the k-th tensor, in the order of the sorted names of the state dict, is
``0.05 sin(0.37 i + k)``; of a running variance and of a one-dimensional ``weight`` (a
norm's scale) 1 plus that. Entry i of the input is ``sin(0.1 i)``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def fill_by_formula(model: nn.Module) -> nn.Module:
    for k, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        if not tensor.is_floating_point():
            continue
        values = 0.05 * torch.sin(0.37 * torch.arange(tensor.numel()).double() + k)
        is_scale = name.endswith('weight') and tensor.ndim == 1
        if is_scale or name.endswith('running_var'):
            values += 1
        tensor.copy_(values.view_as(tensor))
    return model


def golden_output(model: nn.Module, frames: int, joints: int = 17) -> Tensor:
    """First pose (J, 3) of the output for one window, in double precision."""
    model = fill_by_formula(model).double().eval()
    x = torch.sin(0.1 * torch.arange(frames * joints * 2).double())
    with torch.no_grad():
        return model(x.view(1, frames, joints, 2))[0, 0]


def check_golden(
    model: nn.Module,
    expected: Sequence[Sequence[float]],
    frames: int = 1,
    joints: Sequence[int] = (0, 3, 16),
    num_joints: int = 17,
) -> None:
    """Compare some joints of the golden output with numbers recorded earlier."""
    output = golden_output(model, frames, num_joints)[list(joints)]
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(output, expected, atol=1e-6, rtol=0)
