"""Mixed precision in bfloat16, on a GPU or a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from sealpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class Bf16OptimWrapper(OptimWrapper):
    """Computes in bfloat16 what autocast considers safe; weights stay in float32.

    bfloat16 has the range of float32, so losses need no scaling. mmengine's
    AmpOptimWrapper scales them all the same, with a factor that doubles until a
    gradient overflows and an update is lost; and it works on GPUs alone.

    Takes the arguments of mmengine's OptimWrapper.
    """

    cast_dtype = torch.bfloat16

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast, and what the base class has for gradient accumulation."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, self.cast_dtype):
            yield
