"""A data set larger than the memory, in many mapped files."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.datasets.shard_files import (
    ShardEntry,
    ShardIndex,
    map_shard,
    read_sequences,
    shard_skeleton,
)
from sealpose.datasets.window_dataset import WindowDataset, check_windows, disturbed
from sealpose.datasets.windows import (
    WindowIndex,
    Windows,
    WindowShape,
    count_windows,
    empty,
)
from sealpose.registry import DATASETS


@DATASETS.register_module()
class ShardedPoses(WindowDataset):
    """The shards that ``tools/dataset_converters/shard.py`` wrote.

    Gives the same windows in the same order as the data set that the shards were
    written from. Only ``open_shards`` are mapped at a time, so that the memory, and the
    addresses, that a process takes do not grow with the data. Train it with
    :class:`~sealpose.datasets.shard_sampler.ShardSampler`; docs/scaling.md tells more.

    Args:
        data_root: Folder with a folder of shards for each split.
        split: Name of the split.
        open_shards: Shards that are mapped at a time; at least those that the sampler
            draws from at once.
        transforms: As in :class:`WindowDataset`; applied whenever a shard is opened.
        seed: Chooses what the transforms draw.
        window: ``input_frames``, ``output_frames``, ``stride`` and ``target_frames`` of
            :class:`WindowDataset`.

    Raises:
        FileNotFoundError: there are no finished shards.
        ValueError: damaged files, or an impossible window.
    """

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        open_shards: int = 8,
        transforms: Sequence[dict] = (),
        seed: int = 0,
        **window: Any,
    ) -> None:
        self.split = split
        self._shape = WindowShape(**window)
        self._set_shape(self._shape)
        self._folder = Path(data_root) / split
        self._index = ShardIndex.read(self._folder)
        self.skeleton = shard_skeleton(self._index, self._folder)
        self._transforms, self._seed = transforms, seed
        self._device_store = False
        self._open: OrderedDict[int, Windows] = OrderedDict()
        self._open_shards = open_shards
        self._lengths = [self._read_lengths(entry) for entry in self._index.shards]
        self._find_windows()

    @property
    def shard_sizes(self) -> Tensor:
        """Windows of each shard, (S,) int64."""
        return self._ends.diff(prepend=torch.zeros(1, dtype=torch.int64))

    @cached_property
    def metainfo(self) -> dict:
        """As of the data set that the shards were written from."""
        sequences = [
            {key: value for key, value in sequence.items() if key != 'length'}
            for entry in self._index.shards
            for sequence in read_sequences(self._folder, entry)
        ]
        return dict(
            **self._index.meta, skeleton=self._index.skeleton, sequences=sequences
        )

    @property
    def store(self) -> NoReturn:
        """Shards are never in one store.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            'ShardedPoses has no store of all its sequences; load_sequences() reads '
            'them one by one'
        )

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read the sequences, one shard after the other."""
        for entry in self._index.shards:
            arrays = map_shard(self._folder, entry, self.skeleton)
            sequences = read_sequences(self._folder, entry)
            yield from SequenceStore.of_arrays(arrays, sequences).split()

    def check_open_shards(self, wanted: int) -> None:
        """Refuse a sampler that draws from more shards than stay open.

        Args:
            wanted: Shards that it draws from at once.

        Raises:
            ValueError: more than ``open_shards``.
        """
        if wanted > self._open_shards:
            raise ValueError(
                f'the sampler draws from {wanted} shards at once, but the data set '
                f'keeps {self._open_shards} open; raise its open_shards or lower '
                'shards_at_once'
            )

    def __len__(self) -> int:
        return int(self._ends[-1])

    def gather(self, sample_idx: Tensor, pin: bool = False) -> dict[str, Tensor]:
        """Fetch a batch of windows; see :meth:`WindowDataset.gather`."""
        owner = torch.bucketize(sample_idx, self._ends, right=True)
        parts = {}
        for number in owner.unique().tolist():
            mine = (owner == number).nonzero()[:, 0]
            first = self._ends[number - 1] if number else 0
            part = self._windows_of(number).gather(sample_idx[mine] - first)
            counts = part['frame_idx'] >= 0
            part['frame_idx'][counts] += self._evaluated_before[number]
            parts[number] = (mine, part)
        return _merge(list(parts.values()), len(sample_idx), pin)

    def _windows_of(self, number: int) -> Windows:
        """Open a shard, and close the one that was not used for longest."""
        if number not in self._open:
            while len(self._open) >= self._open_shards:
                self._open.popitem(last=False)
            store = self._load(number)
            self._open[number] = Windows(
                self._index_of(number, store.valid),
                store.keypoints_2d,
                store.keypoints_3d,
            )
        self._open.move_to_end(number)
        return self._open[number]

    def _load(self, number: int) -> SequenceStore:
        entry = self._index.shards[number]
        arrays = map_shard(self._folder, entry, self.skeleton)
        if not self._transforms:
            return SequenceStore.of_arrays(arrays, [])
        store = SequenceStore.of_arrays(arrays, read_sequences(self._folder, entry))
        first = sum(len(lengths) for lengths in self._lengths[:number])
        return disturbed(store, self._transforms, self.skeleton, self._seed, first)

    def _index_of(self, number: int, valid: Tensor) -> WindowIndex:
        entry = self._index.shards[number]
        return WindowIndex(
            self._lengths[number],
            None if entry.evaluated == entry.frames else valid,
            self._shape,
            self._training,
        )

    def _read_lengths(self, entry: ShardEntry) -> Tensor:
        sequences = read_sequences(self._folder, entry)
        return torch.tensor([sequence['length'] for sequence in sequences])

    def _find_windows(self) -> None:
        """Count windows and evaluated frames; files are opened only where some fail."""
        sizes, possible = [], 0
        for number, entry in enumerate(self._index.shards):
            count = int(count_windows(self._lengths[number], self._shape).sum())
            possible += count
            if entry.evaluated < entry.frames:
                arrays = map_shard(self._folder, entry, self.skeleton)
                valid = SequenceStore.of_arrays(arrays, []).valid
                count = len(self._index_of(number, valid))
            sizes.append(count)
        check_windows(self._shape, sum(sizes), possible)
        self._ends = torch.tensor(sizes).cumsum(0)
        evaluated = torch.tensor([entry.evaluated for entry in self._index.shards])
        self._evaluated_before = evaluated.cumsum(0) - evaluated


def _merge(
    parts: list[tuple[Tensor, dict[str, Tensor]]], size: int, pin: bool
) -> dict[str, Tensor]:
    """Put the parts of a batch into the places that they are for."""
    _, first = parts[0]
    batch = {
        name: empty((size, *value.shape[1:]), value.device, pin)
        for name, value in first.items()
        if name != 'frame_idx'
    }
    frame_idx = first['frame_idx'].new_empty(size, first['frame_idx'].shape[1])
    batch['frame_idx'] = frame_idx.pin_memory() if pin else frame_idx
    for places, part in parts:
        for name, value in part.items():
            batch[name].index_copy_(0, places, value)
    return batch
