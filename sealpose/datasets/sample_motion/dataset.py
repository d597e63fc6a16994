"""The data set that needs no file."""

from dataclasses import dataclass
from itertools import count

import numpy as np
import torch

from sealpose.datasets.sample_motion.anthropometry import Body, draw_body
from sealpose.datasets.sample_motion.detector import detect
from sealpose.datasets.sample_motion.kinematics import rotation, solve
from sealpose.datasets.sample_motion.motions import MOTIONS
from sealpose.datasets.sequences import PoseSequence, view_sequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import (
    Camera,
    camera_ring,
    project_to_pixels,
    world_to_camera,
)
from sealpose.registry import DATASETS

CAMERAS = camera_ring(4)
CLIP_FRAMES = (200, 400)
# Metres from the axis that the cameras look at.
START_RADIUS = 0.7
WALK_RADIUS = 0.15


@dataclass(frozen=True)
class Split:
    """Size of a split.

    The number of subjects shares no divisor with the number of motions, so that every
    subject comes to every motion.
    """

    number: int
    subjects: int
    frames: int


SPLITS = {
    'train': Split(0, subjects=12, frames=12000),
    'val': Split(1, subjects=3, frames=1500),
    'test': Split(2, subjects=5, frames=3000),
}


@dataclass(frozen=True)
class Clip:
    """One motion of one subject.

    Args:
        world: (T, 17, 3), metres, world axes, floor at z = 0.
        body: Who moves.
        subject: Name of who moves.
        action: Name of the motion.
        name: Name of the clip.
    """

    world: np.ndarray
    body: Body
    subject: str
    action: str
    name: str


@DATASETS.register_module()
class SampleMotion(WindowDataset):
    """People who walk, reach, sit, turn, squat, wave and move freely, made by a seed.

    Every clip is seen by four cameras as a keypoint detector would see it, at 50 frames
    per second. Bodies follow published proportions (``anthropometry``), walking
    published joint angles (``gait``), the 2D errors those of detectors (``detector``).
    Clip number n of a split is the same whatever the size of the split.

    Args:
        split: train, val or test; their subjects differ.
        frames: Frames of motion, each of which gives four frames of the data set, one
            per camera; 12000, 1500 and 3000 for the three splits if None.
        seed: Chooses the subjects, the motions and the errors.
        skeleton: Only h36m17.
        **window: See :class:`WindowDataset`.

    Raises:
        ValueError: an unknown split, no frames, or another skeleton.
    """

    def __init__(
        self,
        split: str = 'train',
        frames: int | None = None,
        seed: int = 0,
        skeleton: str = 'h36m17',
        **window: int | None,
    ) -> None:
        _check_split(split)
        if frames is not None and frames < 1:
            raise ValueError(f'frames must be positive, but got {frames}')
        if skeleton != 'h36m17':
            raise ValueError(
                f"SampleMotion moves the skeleton 'h36m17', but got {skeleton!r}; "
                'remove the argument'
            )
        self.split = split
        self.frames = SPLITS[split].frames if frames is None else frames
        self.seed = seed
        super().__init__(skeleton, **window)

    def load_sequences(self) -> list[PoseSequence]:
        """Generate the clips and look at each with the four cameras."""
        sequences, missing = [], self.frames
        for number in count():
            clip = make_clip(self.split, number, self.seed)
            sequences += self._views(clip, number, missing)
            missing -= len(clip.world)
            if missing <= 0:
                return sequences

    def _views(self, clip: Clip, number: int, frames: int) -> list[PoseSequence]:
        names = {'subject': clip.subject, 'action': clip.action, 'clip': clip.name}
        world = clip.world[:frames]
        views = []
        for i, camera in enumerate(CAMERAS):
            rng = _stream(self.seed, self.split, 2, number, i)
            pixels = detect(project(clip.world, camera), camera.width, rng)
            views.append(
                view_sequence(
                    world, pixels, camera, self.skeleton.origin_joints, **names
                )
            )
        return views


def make_clip(split: str, number: int, seed: int = 0) -> Clip:
    """Generate one clip.

    Args:
        split: train, val or test.
        number: Number of the clip within the split, from 0.
        seed: Chooses everything.

    Raises:
        ValueError: an unknown split.
    """
    _check_split(split)
    person = number % SPLITS[split].subjects
    body = draw_body(_stream(seed, split, 0, person))
    action = list(MOTIONS)[number % len(MOTIONS)]
    rng = _stream(seed, split, 1, number)
    frames = int(rng.integers(*CLIP_FRAMES, endpoint=True))
    joints = solve(body, MOTIONS[action](body, rng, frames))
    return Clip(
        world=_place(joints, rng, WALK_RADIUS if action == 'walking' else START_RADIUS),
        body=body,
        subject=f'{split}{person + 1:02d}',
        action=action,
        name=f'{number:04d}_{action}',
    )


def project(world: np.ndarray, camera: Camera) -> np.ndarray:
    """Project world points (T, J, 3), metres, to pixels (T, J, 2)."""
    points = world_to_camera(torch.from_numpy(world), camera)
    return project_to_pixels(points, camera).numpy()


def _place(joints: np.ndarray, rng: np.random.Generator, radius: float) -> np.ndarray:
    """Turn a clip (T, 17, 3) to any heading and move it to a place near the axis."""
    turn = rotation('z', rng.uniform(0, 2 * np.pi))
    angle, distance = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
    place = distance * np.array([np.cos(angle), np.sin(angle), 0])
    return joints @ turn.T + place


def _stream(seed: int, split: str, *key: int) -> np.random.Generator:
    return np.random.default_rng([seed, SPLITS[split].number, *key])


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(
            f'SampleMotion has no split {split!r}; choose one of {", ".join(SPLITS)}'
        )
