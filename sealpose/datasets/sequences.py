"""Sequences of one person seen by one camera, and the store that holds them all."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sealpose.datasets.columns import Column, MemoryColumn, column_types
from sealpose.geometry.camera import Camera, normalize_screen, world_to_camera
from sealpose.skeletons import Skeleton


@dataclass(frozen=True)
class PoseSequence:
    """The frames of one clip from one camera.

    Args:
        keypoints_2d: (T, J, 2) float32, screen-normalised.
        keypoints_3d: (T, J, 3) float32, metres, root-relative, camera axes.
        subject: Who moves.
        action: What the results are grouped by.
        clip: Name of the clip within the subject.
        camera: Name of the camera.
        valid: (T,) bool, the frames that are evaluated; the others are seen as context
            alone. None means all.
    """

    keypoints_2d: Tensor
    keypoints_3d: Tensor
    subject: str
    action: str
    clip: str
    camera: str
    valid: Tensor | None = None

    def __str__(self) -> str:
        return f'{self.subject}/{self.clip}/{self.camera}'


def view_sequence(
    world: np.ndarray,
    pixels: np.ndarray,
    camera: Camera,
    origin: Sequence[int],
    *,
    subject: str,
    action: str,
    clip: str,
) -> PoseSequence:
    """Turn a clip in the world and its pixels in one camera into a sequence.

    A 2D track may be longer than its motion capture; the surplus at its end is dropped.

    Args:
        world: (T, J, 3), metres, world axes.
        pixels: (T', J, 2), pixels, T' >= T.
        camera: The camera that saw the pixels.
        origin: Joints whose mean becomes the origin: ``skeleton.origin_joints``.
        subject: Who moves.
        action: What the results are grouped by.
        clip: Name of the clip within the subject.

    Raises:
        ValueError: fewer 2D than 3D frames, or other joints in 2D than in 3D.
    """
    where = f'{subject}/{clip}/{camera.name}'
    if len(pixels) < len(world):
        raise ValueError(
            f'{where}: 2D keypoints have {len(pixels)} frames but the 3D positions '
            f'have {len(world)}; the two files do not belong together'
        )
    if pixels.shape[1] != world.shape[1]:
        raise ValueError(
            f'{where}: 2D keypoints have {pixels.shape[1]} joints but the 3D '
            f'positions have {world.shape[1]}'
        )
    points = world_to_camera(torch.from_numpy(world).double(), camera)
    screen = normalize_screen(
        torch.from_numpy(pixels[: len(world)]).double(), camera.width, camera.height
    )
    return PoseSequence(
        keypoints_2d=screen.float(),
        keypoints_3d=(points - points[:, list(origin)].mean(1, keepdim=True)).float(),
        subject=subject,
        action=action,
        clip=clip,
        camera=camera.name,
    )


@dataclass(frozen=True)
class SequenceStore:
    """All sequences end to end in contiguous arrays, in memory or mapped from files.

    Never write to the arrays: mapped ones cannot be written to.

    Attributes:
        keypoints_2d: (N, J, 2) float32, screen-normalised.
        keypoints_3d: (N, J, 3) float32, metres, root-relative, camera axes.
        valid: (N,) bool, the frames that are evaluated.
        sequences: The S descriptions, in order: dicts of subject, action, clip, camera
            and ``length``, the frames of the sequence.
    """

    keypoints_2d: Tensor
    keypoints_3d: Tensor
    valid: Tensor
    sequences: list[dict]

    @classmethod
    def build(
        cls,
        sequences: Iterable[PoseSequence],
        skeleton: Skeleton,
        columns: Mapping[str, Column] | None = None,
    ) -> 'SequenceStore':
        """Lay sequences end to end; each is read only when its turn comes.

        Sequences without a valid frame are left out.

        Args:
            sequences: The sequences.
            skeleton: What their joints must fit.
            columns: What takes the arrays, by the names of :func:`column_types`; memory
                if None.

        Raises:
            ValueError: no sequence, a sequence with other joints than the skeleton, or
                a value that is not finite.
        """
        if columns is None:
            columns = {
                name: MemoryColumn(*of_rows)
                for name, of_rows in column_types(skeleton).items()
            }
        descriptions = []
        for sequence in sequences:
            _check_sequence(sequence, skeleton)
            rows = _rows(sequence)
            if not rows['valid'].any():
                continue
            for name, column in columns.items():
                column.append(rows[name])
            descriptions.append(_describe(sequence))
        if not descriptions:
            raise ValueError(
                'the dataset holds no sequence for these subjects, or none with a '
                'valid frame'
            )
        arrays = {name: column.finish() for name, column in columns.items()}
        return cls.of_arrays(arrays, descriptions)

    @classmethod
    def of_arrays(
        cls, arrays: Mapping[str, np.ndarray], sequences: list[dict]
    ) -> 'SequenceStore':
        """Hold arrays that :meth:`build` laid out, without copying them.

        Args:
            arrays: By the names of :func:`column_types`.
            sequences: The descriptions.
        """
        with warnings.catch_warnings():
            # Mapped arrays cannot be written to, and nothing does.
            warnings.filterwarnings('ignore', message='The given NumPy array is not')
            tensors = {name: torch.from_numpy(a) for name, a in arrays.items()}
        return cls(**tensors, sequences=sequences)

    def __deepcopy__(self, memo: dict) -> 'SequenceStore':
        """Return itself: mmengine's Runner deep-copies the data set that it is given.

        A copy would double the memory, and load what is mapped.
        """
        return self

    @property
    def lengths(self) -> Tensor:
        """Frames of each sequence, (S,) int64."""
        return torch.tensor([sequence['length'] for sequence in self.sequences])

    @property
    def starts(self) -> Tensor:
        """First frame of each sequence, (S,) int64."""
        return self.lengths.cumsum(0) - self.lengths

    @property
    def num_frames(self) -> int:
        """Frames in all sequences together."""
        return len(self.keypoints_3d)

    def evaluated(self) -> list[dict]:
        """Describe the sequences with ``frames``, those that are evaluated."""
        marks = self.valid.split(self.lengths.tolist())
        return [
            dict(
                **{k: v for k, v in entry.items() if k != 'length'},
                frames=int(valid.sum()),
            )
            for entry, valid in zip(self.sequences, marks, strict=True)
        ]

    def split(self) -> Iterator[PoseSequence]:
        """Give back the sequences, as views of the arrays."""
        for start, entry in zip(self.starts.tolist(), self.sequences, strict=True):
            frames = slice(start, start + entry['length'])
            names = {key: entry[key] for key in ('subject', 'action', 'clip', 'camera')}
            yield PoseSequence(
                self.keypoints_2d[frames],
                self.keypoints_3d[frames],
                valid=self.valid[frames],
                **names,
            )


def _rows(sequence: PoseSequence) -> dict[str, np.ndarray]:
    """Return what each column takes of a sequence."""
    valid = sequence.valid
    if valid is None:
        valid = torch.ones(len(sequence.keypoints_3d), dtype=torch.bool)
    return dict(
        keypoints_2d=sequence.keypoints_2d.numpy(),
        keypoints_3d=sequence.keypoints_3d.numpy(),
        valid=valid.bool().numpy(),
    )


def _describe(sequence: PoseSequence) -> dict:
    return dict(
        subject=sequence.subject,
        action=sequence.action,
        clip=sequence.clip,
        camera=sequence.camera,
        length=len(sequence.keypoints_3d),
    )


def _check_sequence(sequence: PoseSequence, skeleton: Skeleton) -> None:
    for name, channels in (('keypoints_2d', 2), ('keypoints_3d', 3)):
        array = getattr(sequence, name)
        if array.ndim != 3 or array.shape[1:] != (skeleton.num_joints, channels):
            raise ValueError(
                f'{sequence}: {name} has the shape {tuple(array.shape)}, but the '
                f'skeleton {skeleton.name!r} needs (frames, {skeleton.num_joints}, '
                f'{channels})'
            )
        bad = ~torch.isfinite(array).flatten(1).all(1)
        if bad.any():
            raise ValueError(
                f'{sequence}: {name} has a value that is not finite in '
                f'{int(bad.sum())} frames, the first is frame '
                f'{int(bad.nonzero()[0, 0])}; repair or cut the clip'
            )
    if len(sequence.keypoints_2d) != len(sequence.keypoints_3d):
        raise ValueError(
            f'{sequence}: {len(sequence.keypoints_2d)} frames of 2D keypoints but '
            f'{len(sequence.keypoints_3d)} of 3D'
        )
    if sequence.valid is not None and len(sequence.valid) != len(sequence.keypoints_3d):
        raise ValueError(
            f'{sequence}: {len(sequence.valid)} marks of valid frames for '
            f'{len(sequence.keypoints_3d)} frames'
        )
