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
from sealpose.datasets.device_store import on_training_device
from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.datasets.windows import WindowIndex, Windows, WindowShape
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
        device_store: Copy the arrays to the device that trains and gather batches
            there, with no worker process: the same batches in the same order.

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
        device_store: bool = False,
    ) -> None:
        # Before the data are read, which may take long, and not yet an attribute: those
        # decide what is read.
        shape = WindowShape(input_frames, output_frames, stride, target_frames)
        self.skeleton = get_skeleton(skeleton)
        store = self._load_store(cache)
        self.store = (
            disturbed(store, transforms, self.skeleton, seed) if transforms else store
        )
        self._set_shape(shape)
        self.index = WindowIndex(
            self.store.lengths, self.store.valid, shape, self._training
        )
        check_windows(shape, len(self.index), self.index.possible)
        self._device_store = device_store
        self._on_device: Windows | None = None

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
        return dict(
            dataset=type(self).__name__,
            skeleton=self.skeleton.name,
            sequences=self.store.evaluated(),
        )

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch = self.gather(torch.tensor([index]))
        return {name: value[0] for name, value in batch.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Fetch a batch for the loader, in pinned memory if this process has a GPU."""
        sample_idx = torch.as_tensor(indices)
        if self._device_store:
            if self._on_device is None:
                self._on_device = on_training_device(self._windows)
            windows = self._on_device
            return windows.gather(sample_idx.to(windows.keypoints_2d.device))
        return self.gather(sample_idx, pin=can_pin())

    def gather(self, sample_idx: Tensor, pin: bool = False) -> dict[str, Tensor]:
        """Fetch a batch of windows from the memory of the host.

        Args:
            sample_idx: (B,) int64, which windows.
            pin: Into pinned memory, which a GPU copies from in the background.

        Returns:
            ``keypoints_2d`` (B, T, J, 2) screen-normalised, ``keypoints_3d``
            (B, target_frames, J, 3) metres, root-relative, camera axes, ``frame_idx``
            (B, T') int64: number of each predicted frame among the evaluated frames of
            the data set, -1 where it does not count: beyond the end of its sequence,
            predicted by the window before, or not valid.
        """
        return self._windows.gather(sample_idx, pin)

    @property
    def _windows(self) -> Windows:
        return Windows(self.index, self.store.keypoints_2d, self.store.keypoints_3d)

    @property
    def _training(self) -> bool:
        return getattr(self, 'split', None) == 'train'

    def _set_shape(self, shape: WindowShape) -> None:
        self.input_frames = shape.input_frames
        self.output_frames = shape.output_frames
        self.target_frames = shape.target_frames
        self.stride = shape.stride

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


def disturbed(
    store: SequenceStore,
    configs: Sequence[dict],
    skeleton: Skeleton,
    seed: int,
    first: int = 0,
) -> SequenceStore:
    """Apply transforms to a copy of the 2D keypoints; files keep the true ones.

    Args:
        store: The sequences.
        configs: Of the transforms.
        skeleton: Of the data.
        seed: With the number of a sequence, decides what is drawn for it.
        first: Number of the first sequence in the data set.
    """
    transforms = [build_for_skeleton(TRANSFORMS, c, skeleton) for c in configs]
    keypoints_2d = torch.empty(store.keypoints_2d.shape)
    starts = store.starts.tolist()
    for number, sequence in enumerate(store.split()):
        (mixed,) = np.random.SeedSequence([seed, first + number]).generate_state(1)
        generator = torch.Generator().manual_seed(int(mixed))
        points = sequence.keypoints_2d.clone()[None]
        for transform in transforms:
            points = transform(points, generator)
        keypoints_2d[starts[number] : starts[number] + points.shape[1]] = points[0]
    return replace(store, keypoints_2d=keypoints_2d)


def check_windows(shape: WindowShape, found: int, possible: int) -> None:
    """Refuse data without a single window.

    Args:
        shape: Of the windows.
        found: Windows with enough valid truth.
        possible: All windows.

    Raises:
        ValueError: ``found`` is 0.
    """
    if not found:
        raise ValueError(
            f'none of the {possible} windows has {shape.target_frames} valid frames of '
            'truth; train with shorter windows or a smaller stride'
        )


def can_pin() -> bool:
    """Whether batches of this process go to a GPU: not before it has used one."""
    return torch.cuda.is_initialized()


@FUNCTIONS.register_module()
def take_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Collate function for data sets that return a whole batch at once."""
    return batch
