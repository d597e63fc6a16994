"""Sequences of one person seen by one camera, and the store that holds them all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

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
    root: int,
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
        root: Index of the root joint.
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
        keypoints_3d=(points - points[:, root : root + 1]).float(),
        subject=subject,
        action=action,
        clip=clip,
        camera=camera.name,
    )


@dataclass(frozen=True)
class SequenceStore:
    """All sequences end to end in contiguous arrays, in memory or mapped from a file.

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
        cls, sequences: Iterable[PoseSequence], skeleton: Skeleton
    ) -> 'SequenceStore':
        """Lay sequences end to end; each is read only when its turn comes.

        Args:
            sequences: The sequences.
            skeleton: What their joints must fit.

        Raises:
            ValueError: no sequence, a sequence with other joints than the skeleton, or
                a value that is not finite.
        """
        points_2d, points_3d, valid, descriptions = [], [], [], []
        for sequence in sequences:
            _check_sequence(sequence, skeleton)
            points_2d.append(sequence.keypoints_2d)
            points_3d.append(sequence.keypoints_3d)
            valid.append(_valid_frames(sequence))
            descriptions.append(_describe(sequence))
        if not descriptions:
            raise ValueError('the dataset holds no sequence for these subjects')
        # One after the other, so that no more than one array is there twice.
        joined_2d = torch.cat(points_2d)
        points_2d.clear()
        joined_3d = torch.cat(points_3d)
        points_3d.clear()
        return cls(joined_2d, joined_3d, torch.cat(valid), descriptions)

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


def _valid_frames(sequence: PoseSequence) -> Tensor:
    if sequence.valid is None:
        return torch.ones(len(sequence.keypoints_3d), dtype=torch.bool)
    return sequence.valid.bool()


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
