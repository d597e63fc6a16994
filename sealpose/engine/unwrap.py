"""The model inside what distributes it."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model that a wrapper such as DistributedDataParallel holds."""
    return model.module if is_model_wrapper(model) else model
