"""Which windows there are over sequences laid end to end, and how to gather them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class WindowShape:
    """The frames of a window; see :class:`WindowDataset`.

    Raises:
        ValueError: an impossible window.
    """

    input_frames: int = 1
    output_frames: int = 1
    stride: int | None = None
    target_frames: int | None = None

    def __post_init__(self) -> None:
        for name in ('stride', 'target_frames'):
            value = getattr(self, name) or self.output_frames
            object.__setattr__(self, name, value)
        _check_window(self.input_frames, self.output_frames)
        _check_window(self.target_frames, self.output_frames)


class WindowIndex:
    """The windows over S sequences of N frames, computed from their lengths.

    Nothing is kept for a window or a frame where every frame is valid, so the index of
    a billion frames is as small as the list of their sequences.

    Args:
        lengths: (S,) int64, frames of each sequence.
        valid: (N,) bool, the frames that are evaluated; None if all are.
        shape: Of the windows.
        training: Leave out windows with any frame of truth that is not valid, not only
            those that predict no valid frame.
    """

    def __init__(
        self, lengths: Tensor, valid: Tensor | None, shape: WindowShape, training: bool
    ) -> None:
        self.shape = shape
        self._lengths = lengths
        self._starts = lengths.cumsum(0) - lengths
        self._counts = count_windows(lengths, shape)
        self._ends = self._counts.cumsum(0)
        #: Windows, those without valid truth too.
        self.possible = int(self._counts.sum())
        self._kept: Tensor | None = None
        self._number: Tensor | None = None
        if valid is not None and not valid.all():
            self._number = torch.where(valid, valid.cumsum(0) - 1, -1)
            self._kept = self._with_truth(valid, training)

    def __len__(self) -> int:
        return self.possible if self._kept is None else len(self._kept)

    def to(self, device: torch.device) -> 'WindowIndex':
        """Return a copy on a device."""
        moved = object.__new__(WindowIndex)
        for name, value in vars(self).items():
            is_tensor = isinstance(value, Tensor)
            setattr(moved, name, value.to(device) if is_tensor else value)
        return moved

    def places(self) -> tuple[Tensor, Tensor]:
        """Return the sequence and first predicted frame of all W windows, (W,) each."""
        return self._locate(torch.arange(len(self)))[:2]

    def rows(self, sample_idx: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Find the frames of windows.

        Args:
            sample_idx: (B,) int64, which windows.

        Returns:
            Rows of the 2D keypoints (B, T), rows of the truth (B, target_frames), and
            ``frame_idx`` (B, T'), as :meth:`WindowDataset.gather` has it.
        """
        sequence, start, first = self._locate(sample_idx)
        predicted = start[:, None] + self._arange(self.shape.output_frames)
        own = (predicted < self._lengths[sequence, None]) & (
            predicted >= first[:, None]
        )
        outputs = self._inside(sequence, predicted)
        number = outputs if self._number is None else self._number[outputs]
        inputs, targets = (
            self._inside(sequence, start[:, None] + self._arange(frames) - padding)
            for frames, padding in (
                (count, (count - self.shape.output_frames) // 2)
                for count in (self.shape.input_frames, self.shape.target_frames)
            )
        )
        return inputs, targets, torch.where(own, number, -1)

    def _arange(self, count: int) -> Tensor:
        return torch.arange(count, device=self._lengths.device)

    def _inside(self, sequence: Tensor, frames: Tensor) -> Tensor:
        """Rows of frames; those beyond the ends repeat the first or last."""
        last = self._lengths[sequence, None] - 1
        return self._starts[sequence, None] + torch.minimum(frames.clamp(min=0), last)

    def _locate(self, sample_idx: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the sequence, the first frame, and the first frame of its own."""
        number = sample_idx if self._kept is None else self._kept[sample_idx]
        sequence = torch.searchsorted(self._ends, number, right=True)
        position = number - (self._ends - self._counts)[sequence]
        first = position * self.shape.stride
        latest = (self._lengths[sequence] - self.shape.output_frames).clamp(min=0)
        return sequence, torch.minimum(first, latest), first

    def _with_truth(self, valid: Tensor, training: bool) -> Tensor:
        """Number the windows that predict a valid frame; in training, only those."""
        shape = self.shape
        frames = shape.target_frames if training else shape.output_frames
        numbers = torch.arange(self.possible)
        sequence, start, _ = self._locate(numbers)
        start = start - (frames - shape.output_frames) // 2
        offset, length = self._starts[sequence], self._lengths[sequence]
        begin = offset + start.clamp(min=0)
        end = offset + torch.minimum(start + frames, length)
        before = torch.nn.functional.pad(valid.long().cumsum(0), (1, 0))
        found = before[end] - before[begin]
        return numbers[found == end - begin if training else found > 0]


def count_windows(lengths: Tensor, shape: WindowShape) -> Tensor:
    """Count the windows of sequences.

    Windows that overlap would end up in the same place at the end of their sequence;
    only the first of them counts.

    Args:
        lengths: (S,) int64, frames of each sequence.
        shape: Of the windows.

    Returns:
        (S,) int64.
    """
    latest = (lengths - shape.output_frames).clamp(min=0)
    at_end = -(-latest // shape.stride)
    return torch.minimum(at_end + 1, -(-lengths // shape.stride))


@dataclass(frozen=True)
class Windows:
    """Windows over arrays of N frames, on one device.

    Attributes:
        index: The windows.
        keypoints_2d: (N, J, 2).
        keypoints_3d: (N, J, 3).
    """

    index: WindowIndex
    keypoints_2d: Tensor
    keypoints_3d: Tensor

    def to(self, device: torch.device) -> 'Windows':
        """Return a copy on a device."""
        moved = {name: value.to(device) for name, value in vars(self).items()}
        return replace(self, **moved)

    def gather(self, sample_idx: Tensor, pin: bool = False) -> dict[str, Tensor]:
        """Fetch a batch of windows; see :meth:`WindowDataset.gather`.

        Args:
            sample_idx: (B,) int64, which windows.
            pin: Into memory that a GPU can copy from while this process goes on.
        """
        inputs, targets, frame_idx = self.index.rows(sample_idx)
        return dict(
            keypoints_2d=_take(self.keypoints_2d, inputs, pin),
            keypoints_3d=_take(self.keypoints_3d, targets, pin),
            frame_idx=frame_idx.pin_memory() if pin else frame_idx,
        )


def _take(array: Tensor, rows: Tensor, pin: bool) -> Tensor:
    """Gather frames: (N, J, C) and (B, T) to (B, T, J, C)."""
    frames = array.flatten(1)
    out = empty((rows.numel(), frames.shape[1]), array.device, pin)
    torch.index_select(frames, 0, rows.flatten(), out=out)
    return out.view(*rows.shape, *array.shape[1:])


def empty(size: tuple[int, ...], device: torch.device, pin: bool) -> Tensor:
    """Make a float32 tensor for a batch.

    Args:
        size: Its shape.
        device: Where it lies.
        pin: In pinned memory.
    """
    if pin or device.type != 'cpu':
        return torch.empty(size, device=device, pin_memory=pin)
    # numpy asks for large pages of memory, which torch does not: long windows take a
    # quarter of the time.
    return torch.from_numpy(np.empty(size, np.float32))


def _check_window(input_frames: int, output_frames: int) -> None:
    padding = input_frames - output_frames
    if output_frames < 1 or padding < 0 or padding % 2:
        raise ValueError(
            f'a window of {input_frames} frames around {output_frames} predicted ones '
            'is impossible: both must be positive, and as many frames must be added '
            'before the predicted ones as after them'
        )
