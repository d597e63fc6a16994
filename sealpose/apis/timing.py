"""How long a pose-net takes, measured so that noise on the machine cancels."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def interleaved_times(
    calls: Mapping[str, Callable[[], object]],
    repeats: int,
    device: torch.device,
    warmup: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time several calls in turn, so that a slow spell of the machine hits all alike.

    Every other round goes backwards, so that none is always the one after another.

    Args:
        calls: Name to what is timed.
        repeats: Timings of each.
        device: Where the calls compute; a GPU is waited for.
        warmup: Calls before the first timing.
        clock: Tells the seconds. ``time.process_time`` counts those of the processor,
            of all threads together, and none while others have it.

    Returns:
        Name to the seconds of each call, in the order of the rounds.
    """
    for call in calls.values():
        for _ in range(warmup):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats):
        for name in list(calls)[:: -1 if number % 2 else 1]:
            _wait_for(device)
            start = clock()
            calls[name]()
            _wait_for(device)
            times[name].append(clock() - start)
    return times


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """Median over the rounds of one call's time divided by the other's."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def train_call(
    network: torch.nn.Module, x: Tensor, pick: Callable = lambda y: y
) -> Callable[[], None]:
    """Return forward and backward of a network as one call.

    Args:
        network: The network.
        x: Its input, in the axes that it takes.
        pick: Takes the prediction out of what it returns.
    """

    def call() -> None:
        network.zero_grad(set_to_none=True)
        pick(network(x)).square().mean().backward()

    return call


def _wait_for(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
