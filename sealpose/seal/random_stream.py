"""A random stream of one's own, so that others draw the same numbers as without it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def derive_seed(*parts: int) -> int:
    """Mix non-negative integers, such as seed, epoch and rank, into one seed."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]) >> 1


class RandomStream:
    """Torch's random state of one owner, on the CPU and on CUDA devices.

    Dropout draws from the global generators and takes no other. ``active`` puts this
    stream's state in their place and afterwards theirs back: a copy of some kilobytes
    on the host, no synchronisation.

    Args:
        seed: Where the stream starts.
    """

    def __init__(self, seed: int) -> None:
        self.seed(seed)

    def seed(self, value: int) -> None:
        """Restart the stream."""
        self._seed = value
        self._states: dict[torch.device, Tensor] = {}

    @contextmanager
    def active(self, device: torch.device) -> Iterator[None]:
        """Let everything inside draw from this stream.

        Args:
            device: Where the work runs. The CPU's generator is exchanged in any case.
        """
        devices = [torch.device('cpu')]
        if device.type == 'cuda':
            devices.append(device)
        outside = [_get_state(each) for each in devices]
        try:
            for each in devices:
                _set_state(each, self._state(each))
            yield
            self._states.update((each, _get_state(each)) for each in devices)
        finally:
            for each, state in zip(devices, outside, strict=True):
                _set_state(each, state)

    def _state(self, device: torch.device) -> Tensor:
        if device in self._states:
            return self._states[device]
        return torch.Generator(device).manual_seed(self._seed).get_state()


def _get_state(device: torch.device) -> Tensor:
    if device.type == 'cuda':
        return torch.cuda.get_rng_state(device)
    return torch.get_rng_state()


def _set_state(device: torch.device, state: Tensor) -> None:
    if device.type == 'cuda':
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
