"""Windows without truth must not disturb how a network sees those with truth."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def own_random_stream(device: torch.device) -> Iterator[None]:
    """Draw from a stream of its own, which the present state of the main one starts.

    Afterwards the main stream goes on as if nothing had been drawn.

    Args:
        device: Where random numbers are drawn, beside the CPU.
    """
    on_gpu = device.type == 'cuda'
    with torch.random.fork_rng([device] if on_gpu else []):
        # Another seed, or the next draws of the main stream would be the same. Not
        # torch.manual_seed, which asks every kind of device and takes far longer.
        seed = int(torch.randint(2**62, ()))
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norm use the statistics of its batch, and not remember them.

    Args:
        network: In train mode.
    """
    tracking = [
        module
        for module in network.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True
