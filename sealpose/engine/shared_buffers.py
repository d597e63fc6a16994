"""One batch-norm statistic for all processes of a run."""

from collections import defaultdict

import torch
from mmengine.dist import broadcast, is_distributed
from torch import Tensor, nn


def share_buffers(model: nn.Module) -> None:
    """Give all processes the buffers of the main one, in one message for each type."""
    if not is_distributed():
        return
    by_type: dict[torch.dtype, list[Tensor]] = defaultdict(list)
    for buffer in model.buffers():
        by_type[buffer.dtype].append(buffer)
    for buffers in by_type.values():
        message = torch.cat([buffer.flatten() for buffer in buffers])
        broadcast(message)
        parts = message.split([buffer.numel() for buffer in buffers])
        for buffer, part in zip(buffers, parts, strict=True):
            buffer.copy_(part.view_as(buffer))
