"""Batches of a fixed number of labelled windows, and unlabelled ones."""

from collections.abc import Iterator

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Sampler

from sealpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FewLabelsBatchSampler(Sampler[list[int]]):
    """Every batch starts with as many labelled windows; the rest is unlabelled.

    Labelled and unlabelled windows are two endless streams, each one random order of
    its windows after the other. A batch takes the next of both, so every window of a
    stream comes equally often, labelled ones more often than unlabelled ones. The
    streams run on over the epochs and are cut among the processes: what a batch holds
    depends on the seed, the epoch, its number and the process alone.

    Which labelled windows a batch holds does not depend on the unlabelled ones, nor on
    whether there are any: ``unlabelled=False`` is the baseline that trains on the
    labels alone, with the same updates on the same labelled windows.

    Args:
        sampler: A DefaultSampler over :class:`~sealpose.datasets.few_labels.FewLabels`;
            gives seed, epoch and process. mmengine builds it from
            ``train_dataloader.sampler``.
        batch_size: Windows in a batch of one process.
        labelled: How many of them are labelled, or which part of them if a float.
        unlabelled: Fill the batch with unlabelled windows; else it is shorter.
        num_batches: Batches of one process in an epoch; None: as many as full batches
            take to show every window of the source data set once.

    Raises:
        TypeError: the data set does not know which windows are labelled.
        ValueError: an impossible number of labelled windows.
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        batch_size: int,
        labelled: int | float = 0.5,
        unlabelled: bool = True,
        num_batches: int | None = None,
    ) -> None:
        dataset = sampler.dataset
        if not hasattr(dataset, 'labelled'):
            raise TypeError(
                'FewLabelsBatchSampler needs a data set of type FewLabels, but got '
                f'{type(dataset).__name__}'
            )
        self.sampler = sampler
        self.batch_size = batch_size
        share = isinstance(labelled, float)
        self.num_labelled = round(labelled * batch_size) if share else labelled
        if not 0 < self.num_labelled <= batch_size:
            raise ValueError(
                f'labelled must leave 1 to {batch_size} windows of a batch of '
                f'{batch_size}, but {labelled} makes {self.num_labelled}'
            )
        self._labelled = _EndlessShuffle(dataset.labelled, (sampler.seed, 0))
        rest = ~dataset.labelled & unlabelled
        self._rest = _EndlessShuffle(rest, (sampler.seed, 1)) if rest.any() else None
        total = batch_size * sampler.world_size
        self.num_batches = num_batches or -(-dataset.num_source_windows // total)
        others = 0 if self._rest is None else batch_size - self.num_labelled
        print_log(
            f'{dataset.summary}; {self.num_labelled} labelled and {others} unlabelled '
            f'windows in each of {self.num_batches} batches of an epoch',
            logger='current',
        )

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[list[int]]:
        first = self.sampler.epoch * self.num_batches
        for number in range(first, first + self.num_batches):
            batch = self._take(self._labelled, number, self.num_labelled)
            if self._rest is not None:
                count = self.batch_size - self.num_labelled
                batch += self._take(self._rest, number, count)
            yield batch

    def _take(self, stream: '_EndlessShuffle', batch: int, count: int) -> list[int]:
        # The processes stand side by side in the stream.
        turn = batch * self.sampler.world_size + self.sampler.rank
        return stream.take(turn * count, count)


class _EndlessShuffle:
    """One random order of some windows after the other.

    Args:
        chosen: (W,) bool, which windows.
        key: Fixes the orders.
    """

    def __init__(self, chosen: Tensor, key: tuple[int, ...]) -> None:
        self._windows = chosen.nonzero()[:, 0]
        self._key = key
        self._round: int | None = None
        self._order: list[int] = []

    def take(self, start: int, count: int) -> list[int]:
        """Return ``count`` windows from position ``start``."""
        taken = []
        while len(taken) < count:
            number, offset = divmod(start + len(taken), len(self._windows))
            taken += self._shuffled(number)[offset : offset + count - len(taken)]
        return taken

    def _shuffled(self, number: int) -> list[int]:
        if number != self._round:
            entropy = np.random.SeedSequence([*self._key, number])
            generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
            order = torch.randperm(len(self._windows), generator=generator)
            self._round, self._order = number, self._windows[order].tolist()
        return self._order
