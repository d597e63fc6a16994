"""Windows over the sequences of a data set, gathered a batch at a time."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.registry import FUNCTIONS
from sealpose.skeletons import get_skeleton


class WindowDataset(Dataset):
    """Windows of a fixed length over the sequences that a subclass reads.

    A window predicts ``output_frames`` consecutive frames and sees ``input_frames``
    of them and around them, centred: (27, 1) for a seq2frame backbone, (27, 27) for a
    seq2seq one, (538, 512) for a convolution that runs over whole sequences. Frames
    beyond the ends of a sequence repeat its first or last frame.

    Args:
        skeleton: Name of the skeleton of the data.
        input_frames: Frames T that the backbone sees. The tools fill this in from the
            backbone where a config leaves it open.
        output_frames: Frames T' that it predicts; ``input_frames - output_frames`` is
            even.
        stride: Frames between the starts of two windows; ``output_frames`` if None,
            so that each frame is predicted once.

    Raises:
        ValueError: an impossible window, or data that does not fit the skeleton.
    """

    def __init__(
        self,
        skeleton: str,
        input_frames: int = 1,
        output_frames: int = 1,
        stride: int | None = None,
    ) -> None:
        padding = input_frames - output_frames
        if output_frames < 1 or padding < 0 or padding % 2:
            raise ValueError(
                f'a window of {input_frames} input and {output_frames} output frames '
                'is impossible: both must be positive, and as many frames must be '
                'added before the output frames as after them'
            )
        self.skeleton = get_skeleton(skeleton)
        self.input_frames = input_frames
        self.output_frames = output_frames
        self.stride = stride or output_frames
        self.store = SequenceStore(self.load_sequences(), self.skeleton)
        self._sequence, self._start = _window_table(self.store.lengths, self.stride)

    @abstractmethod
    def load_sequences(self) -> list[PoseSequence]:
        """Read the sequences of this split."""

    @property
    def metainfo(self) -> dict:
        """What evaluation looks frames up in; plain values, as checkpoints keep it.

        ``sequences`` lists, in the order of the frames, dicts of subject, action, clip,
        camera and the number of frames.
        """
        return dict(
            dataset=type(self).__name__,
            skeleton=self.skeleton.name,
            sequences=self.store.sequences,
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
            (B, T', J, 3) metres, root-relative, camera axes, ``frame_idx`` (B, T')
            int64: the frames of the data set that the window predicts, -1 where it
            reaches beyond the end of its sequence.
        """
        padding = (self.input_frames - self.output_frames) // 2
        sequence = self._sequence[sample_idx, None]
        frames = self._start[sample_idx, None] + torch.arange(
            -padding, self.output_frames + padding
        )
        start = self.store.starts[sequence]
        length = self.store.lengths[sequence]
        inputs = start + torch.minimum(frames.clamp(min=0), length - 1)
        predicted = slice(padding, padding + self.output_frames)
        outputs = inputs[:, predicted]
        return dict(
            keypoints_2d=self.store.keypoints_2d[inputs],
            keypoints_3d=self.store.keypoints_3d[outputs],
            frame_idx=torch.where(frames[:, predicted] < length, outputs, -1),
        )


def _window_table(lengths: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """List the windows as (sequence, first output frame)."""
    counts = (lengths + stride - 1) // stride
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), counts)
    first = counts.cumsum(0) - counts
    position = torch.arange(len(sequence)) - first[sequence]
    return sequence, position * stride


@FUNCTIONS.register_module()
def take_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Collate function for data sets that return a whole batch at once."""
    return batch
