"""Windows over the sequences of a data set, gathered a batch at a time."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sealpose.datasets.cache import CACHE_FOLDER, cache_key, cached_store
from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.registry import FUNCTIONS, TRANSFORMS
from sealpose.skeletons import Skeleton, get_skeleton
from sealpose.skeletons.build import build_for_skeleton


class WindowDataset(Dataset):
    """Windows of a fixed length over the sequences that a subclass reads.

    A window predicts ``output_frames`` consecutive frames and sees ``input_frames``
    of them and around them, centred: (27, 1) for a seq2frame backbone, (27, 27) for a
    seq2seq one, (538, 512) for a convolution that runs over whole sequences. Frames
    beyond the ends of a sequence repeat its first or last frame. Where a sequence does
    not divide into windows, its last window moves back to end with it.

    Frames that are not valid (see :class:`PoseSequence`) are seen as context. Windows
    that predict no valid frame are left out; in the split ``train`` also those with any
    frame of truth that is not valid, so that nothing learns from it.

    Args:
        skeleton: Name of the skeleton of the data.
        input_frames: Frames T that the backbone sees. The tools fill this in from the
            backbone where a config leaves it open.
        output_frames: Frames T' that it predicts; ``input_frames - output_frames`` is
            even.
        stride: Frames between the starts of two windows; ``output_frames`` if None,
            so that each frame is predicted once.
        target_frames: Frames of truth that a window gives, centred on those that it
            predicts; ``output_frames`` if None. Some backbones train on more.
        transforms: Configs of transforms of the 2D keypoints, applied to every whole
            sequence as it is loaded: how a test makes them worse. Training disturbs
            batches instead (``augmentations`` of PoseLifter).
        seed: Chooses what the transforms draw.
        cache: Keep the arrays of data sets that are read from files beside them, and
            map them from there the next time.

    Raises:
        ValueError: an impossible window, or data that does not fit the skeleton.
    """

    def __init__(
        self,
        skeleton: str,
        input_frames: int = 1,
        output_frames: int = 1,
        stride: int | None = None,
        target_frames: int | None = None,
        transforms: Sequence[dict] = (),
        seed: int = 0,
        cache: bool = True,
    ) -> None:
        target_frames = target_frames or output_frames
        _check_window(input_frames, output_frames)
        _check_window(target_frames, output_frames)
        self.skeleton = get_skeleton(skeleton)
        store = self._load_store(cache)
        self.store = (
            _disturbed(store, transforms, self.skeleton, seed) if transforms else store
        )
        self.input_frames = input_frames
        self.output_frames = output_frames
        self.target_frames = target_frames
        self.stride = stride or output_frames
        self._starts = self.store.starts
        self._lengths = self.store.lengths
        self._number = torch.where(self.store.valid, self.store.valid.cumsum(0) - 1, -1)
        self._make_windows()

    @abstractmethod
    def load_sequences(self) -> Iterable[PoseSequence]:
        """Read the sequences of this split."""

    def source_files(self) -> list[Path]:
        """Return the files that the sequences are read from, for the cache."""
        return []

    @property
    def metainfo(self) -> dict:
        """What evaluation looks frames up in; plain values, as checkpoints keep it.

        ``sequences`` lists, in the order of the frames, dicts of subject, action, clip,
        camera and ``frames``, the number of those that are evaluated.
        """
        counts = self.store.valid.split(self._lengths.tolist())
        sequences = [
            dict(
                **{k: v for k, v in entry.items() if k != 'length'},
                frames=int(valid.sum()),
            )
            for entry, valid in zip(self.store.sequences, counts, strict=True)
        ]
        return dict(
            dataset=type(self).__name__,
            skeleton=self.skeleton.name,
            sequences=sequences,
        )

    def __len__(self) -> int:
        return len(self._start)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch = self.gather(torch.tensor([index]))
        return {name: value[0] for name, value in batch.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.gather(torch.as_tensor(indices))

    def gather(self, sample_idx: Tensor) -> dict[str, Tensor]:
        """Fetch a batch of windows.

        Args:
            sample_idx: (B,) int64, which windows.

        Returns:
            ``keypoints_2d`` (B, T, J, 2) screen-normalised, ``keypoints_3d``
            (B, target_frames, J, 3) metres, root-relative, camera axes, ``frame_idx``
            (B, T') int64: number of each predicted frame among the evaluated frames of
            the data set, -1 where it does not count: beyond the end of its sequence,
            predicted by the window before, or not valid.
        """
        frames = self._frames(sample_idx, self.output_frames)
        outputs = self._rows(sample_idx, frames)
        counts = (frames < self._lengths[self._sequence[sample_idx], None]) & (
            frames >= self._first[sample_idx, None]
        )
        inputs = self._rows(sample_idx, self._frames(sample_idx, self.input_frames))
        targets = self._rows(sample_idx, self._frames(sample_idx, self.target_frames))
        return dict(
            keypoints_2d=_take(self.store.keypoints_2d, inputs),
            keypoints_3d=_take(self.store.keypoints_3d, targets),
            frame_idx=torch.where(counts, self._number[outputs], -1),
        )

    def _frames(self, sample_idx: Tensor, count: int) -> Tensor:
        """Frames within their sequences, ``count`` of them around the predicted."""
        padding = (count - self.output_frames) // 2
        return self._start[sample_idx, None] + torch.arange(count) - padding

    def _rows(self, sample_idx: Tensor, frames: Tensor) -> Tensor:
        """Rows of the store; frames beyond the ends repeat the first or last."""
        sequence = self._sequence[sample_idx, None]
        inside = torch.minimum(frames.clamp(min=0), self._lengths[sequence] - 1)
        return self._starts[sequence] + inside

    def _make_windows(self) -> None:
        """List the windows: sequence, first frame, first frame that is its own."""
        counts = (self._lengths + self.stride - 1) // self.stride
        sequence = torch.repeat_interleave(torch.arange(len(counts)), counts)
        position = torch.arange(len(sequence)) - (counts.cumsum(0) - counts)[sequence]
        first = position * self.stride
        latest = (self._lengths[sequence] - self.output_frames).clamp(min=0)
        start = torch.minimum(first, latest)
        # Windows that overlap may end up in the same place at the end of a sequence.
        place = torch.stack([sequence, start])
        fresh = torch.ones(len(start), dtype=torch.bool)
        fresh[1:] = (place[:, 1:] != place[:, :-1]).any(0)
        self._sequence, self._start, self._first = sequence, start, first
        fresh &= self._has_truth()
        if not fresh.any():
            raise ValueError(
                f'none of the {len(fresh)} windows has {self.target_frames} valid '
                'frames of truth; train with shorter windows or a smaller stride'
            )
        self._sequence, self._start = sequence[fresh], start[fresh]
        self._first = first[fresh]

    def _has_truth(self) -> Tensor:
        """Tell which windows predict a valid frame; in training, only valid truth."""
        training = getattr(self, 'split', None) == 'train'
        frames = self.target_frames if training else self.output_frames
        start = self._start - (frames - self.output_frames) // 2
        offset, length = self._starts[self._sequence], self._lengths[self._sequence]
        begin = offset + start.clamp(min=0)
        end = offset + torch.minimum(start + frames, length)
        before = torch.nn.functional.pad(self.store.valid.long().cumsum(0), (1, 0))
        valid = before[end] - before[begin]
        return valid == end - begin if training else valid > 0

    def _load_store(self, cache: bool) -> SequenceStore:
        # Whatever a subclass was told so far decides what is read; where it lies does
        # not.
        settings = {k: v for k, v in vars(self).items() if k != 'data_root'}
        files = self.source_files() if cache else []
        if not files or not all(file.is_file() for file in files):
            return SequenceStore.build(self.load_sequences(), self.skeleton)
        key = cache_key(type(self), settings, files)
        folder = files[0].parent / CACHE_FOLDER / f'{type(self).__name__}-{key}'
        return cached_store(folder, self.load_sequences, self.skeleton)


def _disturbed(
    store: SequenceStore, configs: Sequence[dict], skeleton: Skeleton, seed: int
) -> SequenceStore:
    """Apply transforms to a copy of the 2D keypoints; the cache keeps the true ones."""
    transforms = [build_for_skeleton(TRANSFORMS, c, skeleton) for c in configs]
    keypoints_2d = torch.empty(store.keypoints_2d.shape)
    starts = store.starts.tolist()
    for number, sequence in enumerate(store.split()):
        (mixed,) = np.random.SeedSequence([seed, number]).generate_state(1)
        generator = torch.Generator().manual_seed(int(mixed))
        points = sequence.keypoints_2d.clone()[None]
        for transform in transforms:
            points = transform(points, generator)
        keypoints_2d[starts[number] : starts[number] + points.shape[1]] = points[0]
    return replace(store, keypoints_2d=keypoints_2d)


def _check_window(input_frames: int, output_frames: int) -> None:
    padding = input_frames - output_frames
    if output_frames < 1 or padding < 0 or padding % 2:
        raise ValueError(
            f'a window of {input_frames} frames around {output_frames} predicted ones '
            'is impossible: both must be positive, and as many frames must be added '
            'before the predicted ones as after them'
        )


def _take(array: Tensor, rows: Tensor) -> Tensor:
    """Gather frames: (N, J, C) and (B, T) to (B, T, J, C)."""
    # numpy asks for large pages of memory, which torch does not: long windows take a
    # quarter of the time.
    out = torch.from_numpy(np.empty((rows.numel(), array[0].numel()), np.float32))
    torch.index_select(array.flatten(1), 0, rows.flatten(), out=out)
    return out.view(*rows.shape, *array.shape[1:])


@FUNCTIONS.register_module()
def take_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Collate function for data sets that return a whole batch at once."""
    return batch
