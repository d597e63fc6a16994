"""The order of windows that are too many for a list of them."""

from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from sealpose.datasets.permutation import Permutation
from sealpose.datasets.sharded_poses import ShardedPoses
from sealpose.registry import DATA_SAMPLERS

CHUNK = 1 << 14


@DATA_SAMPLERS.register_module()
class ShardSampler(Sampler[int]):
    """Orders the windows of :class:`ShardedPoses` without ever listing them.

    The windows form an endless stream: one pass over all of them after the other, each
    in an order of its own. Of R processes each takes every R-th window of the stream.
    So the order depends on the seed and the pass alone, not on the number of workers or
    on what was read before; a pass holds every window once, over all processes; and
    every process gets as many windows.

    Args:
        dataset: The data set; given by mmengine.
        seed: The same in all processes; given by mmengine. None draws one.
        shuffle: Shuffle the windows.
        shards_at_once: Shuffle the shards, then the windows of so many shards at a
            time, which reads a slow disk almost in its order. None shuffles all.
        round_up: Give every process as many windows in an epoch. Where their number
            does not divide by that of the processes, an epoch ends with the first
            windows of the next pass, and the next epoch goes on behind them. False, for
            evaluation, ends with the pass.
        endless: Never end, for loops that count iterations.

    Raises:
        ValueError: ``shards_at_once`` exceeds the shards that the data set keeps open.
    """

    def __init__(
        self,
        dataset: ShardedPoses,
        seed: int | None = None,
        shuffle: bool = True,
        shards_at_once: int | None = None,
        round_up: bool = True,
        endless: bool = False,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.sizes = dataset.shard_sizes.numpy()
        self.size = int(self.sizes.sum())
        self.shuffle = shuffle
        self.shards_at_once = shards_at_once
        self.round_up = round_up
        self.endless = endless
        self.epoch = 0
        if shards_at_once is not None:
            dataset.check_open_shards(shards_at_once)

    def __len__(self) -> int:
        """Windows of this process in an epoch."""
        others = 0 if self.round_up else self.rank
        return (self.size - others + self.world_size - 1) // self.world_size

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; mmengine does before each."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        step = CHUNK * self.world_size
        begin, end = self._span()
        while end is None or begin < end:
            stop = begin + step if end is None else min(begin + step, end)
            yield from self._take(begin, stop)
            begin += step

    def _span(self) -> tuple[int, int | None]:
        """Places in the stream where this epoch begins and ends."""
        if self.endless:
            return self.rank, None
        if not self.round_up:
            begin = self.epoch * self.size
            return begin + self.rank, begin + self.size
        begin = self.epoch * len(self) * self.world_size
        return begin + self.rank, begin + len(self) * self.world_size

    def _take(self, begin: int, end: int) -> Iterator[int]:
        """Yield this process's windows of a part of the stream."""
        places = np.arange(begin, end, self.world_size)
        number = places // self.size
        for one in np.unique(number).tolist():
            yield from self.order(one, places[number == one] % self.size).tolist()

    def order(self, number: int, places: np.ndarray) -> np.ndarray:
        """Return the windows at some places of a pass.

        Args:
            number: Of the pass.
            places: (P,) int64, below the number of windows.
        """
        if not self.shuffle:
            return places
        if self.shards_at_once is None:
            return Permutation(self.size, self.seed, number)(places)
        return self._order_in_blocks(number, places)

    def _order_in_blocks(self, number: int, places: np.ndarray) -> np.ndarray:
        shards = np.random.default_rng((self.seed, number)).permutation(len(self.sizes))
        # Where each shard begins among all windows, and where it ends in this pass.
        first = (self.sizes.cumsum() - self.sizes)[shards]
        ends = self.sizes[shards].cumsum()
        last = np.arange(len(shards)) // self.shards_at_once * self.shards_at_once
        last = np.minimum(last + self.shards_at_once, len(shards)) - 1
        block_ends = np.unique(ends[last])
        block = np.searchsorted(block_ends, places, side='right')
        windows = np.empty_like(places)
        for one in np.unique(block).tolist():
            mine = block == one
            begin = block_ends[one - 1] if one else 0
            mix = Permutation(int(block_ends[one] - begin), self.seed, number, one)
            mixed = begin + mix(places[mine] - begin)
            position = np.searchsorted(ends, mixed, side='right')
            offset = mixed - (ends - self.sizes[shards])[position]
            windows[mine] = first[position] + offset
        return windows
