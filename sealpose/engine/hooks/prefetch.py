"""Batches fetched in the background, in this process."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader, Dataset, Sampler

from sealpose.registry import HOOKS


@HOOKS.register_module()
class PrefetchHook(Hook):
    """Fetches the next training batches in a thread while the model computes.

    The same batches in the same order. Gathering releases Python's lock, so a thread
    does what worker processes do without sending arrays between processes, which costs
    more than to gather them. For loops that count epochs, with ``num_workers=0``.

    Args:
        depth: Batches that lie ready at most.
    """

    def __init__(self, depth: int = 2) -> None:
        self.depth = depth

    def before_train(self, runner: Runner) -> None:
        """Put itself between the loader and the loop.

        Raises:
            TypeError: the loop counts iterations, and holds an iterator of its own.
            ValueError: the loader has worker processes, which fetch ahead themselves.
        """
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            raise TypeError(
                'PrefetchHook works in loops that count epochs, but the train loop is '
                f'a {type(loop).__name__}; set train_cfg.by_epoch=True, or remove it'
            )
        if loop.dataloader.num_workers:
            raise ValueError(
                'PrefetchHook fetches batches in a thread, but train_dataloader has '
                f'num_workers={loop.dataloader.num_workers}; set 0, or remove the hook'
            )
        if not isinstance(loop.dataloader, BackgroundLoader):
            loop.dataloader = BackgroundLoader(loop.dataloader, self.depth)


class BackgroundLoader:
    """A DataLoader whose batches are fetched in a thread.

    Args:
        loader: The DataLoader, with ``num_workers=0``.
        depth: Batches that lie ready at most.
    """

    def __init__(self, loader: DataLoader, depth: int) -> None:
        self.loader = loader
        self.depth = depth

    @property
    def dataset(self) -> Dataset:
        """That of the loader."""
        return self.loader.dataset

    @property
    def sampler(self) -> Sampler:
        """That of the loader, to which mmengine tells the epoch."""
        return self.loader.sampler

    @property
    def num_workers(self) -> int:
        """That of the loader: 0."""
        return self.loader.num_workers

    @property
    def batch_size(self) -> int | None:
        """That of the loader."""
        return self.loader.batch_size

    @property
    def batch_sampler(self) -> Sampler:
        """That of the loader."""
        return self.loader.batch_sampler

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        # In this thread: it draws from the main random stream.
        batches = iter(self.loader)
        ready: queue.Queue = queue.Queue(self.depth)
        stopped = threading.Event()
        device = torch.cuda.current_device() if torch.cuda.is_initialized() else None
        thread = threading.Thread(
            target=_fetch, args=(batches, ready, stopped, device), daemon=True
        )
        thread.start()
        try:
            while True:
                batch, error = ready.get()
                if error is not None:
                    raise error
                if batch is None:
                    return
                yield batch
        finally:
            stopped.set()
            thread.join()


def _fetch(
    batches: Iterator[Any],
    ready: queue.Queue,
    stopped: threading.Event,
    device: int | None,
) -> None:
    if device is not None:
        # A thread starts on the first GPU, whatever the main one has chosen.
        torch.cuda.set_device(device)
    try:
        for batch in batches:
            _put(ready, (batch, None), stopped)
            if stopped.is_set():
                return
        _put(ready, (None, None), stopped)
    except BaseException as error:
        _put(ready, (None, error), stopped)


def _put(ready: queue.Queue, item: tuple, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            ready.put(item, timeout=0.1)
            return
        except queue.Full:
            continue
