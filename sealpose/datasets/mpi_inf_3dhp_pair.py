"""MPI-INF-3DHP in a pair of files like those that VideoPose3D introduced."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sealpose.datasets.mpi_inf_3dhp_layout import (
    Clip,
    Layout,
    Views,
    clip_arrays,
    find_entry,
    is_listing,
)
from sealpose.datasets.readers.npz import read_npz

HEAD_TOP, NECK = 0, 1
# A neck nearer than this to the camera is given relative to the head, metres.
NEAREST = 0.6


class PairFiles(Layout):
    """The pair of VideoPose3D's kind: positions in metres, a list of cameras a clip.

    ``positions_3d`` holds subject → clip → cameras → (T, 17, 3), ``positions_2d`` the
    same with pixels. The known files give all joints relative to the top of the head,
    and in its place its way through the room; absolute positions are read as well. They
    do not tell which test frames are valid, so all are evaluated.
    """

    def file_names(self) -> list[str]:
        """Return both files."""
        return ['data_3d_mpi_inf_3dhp.npz', 'data_2d_mpi_inf_3dhp_gt.npz']

    def clips(
        self, subjects: Sequence[str], cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        """Read the clips of some subjects."""
        (world,) = read_npz(self.paths[0], 'positions_3d')
        (screen,) = read_npz(self.paths[1], 'positions_2d')
        entries = deque(e for s in subjects for e in self._entries(s, world, screen))
        # Large files: what has been passed on need not stay.
        del world, screen
        if cameras is None or self.test:
            # A camera that only some clips have must not go unnoticed.
            count = max(len(points) for _, _, points, _ in entries)
            cameras = [str(number) for number in range(count)]
        while entries:
            yield from self._views(*entries.popleft(), cameras)

    def _entries(
        self, subject: str, world: Any, screen: Any
    ) -> Iterator[tuple[str, str, Views, Views]]:
        """Find the views of each clip of a subject in 3D and in 2D."""
        clips = [
            find_entry(positions, subject, f'{path}, {key}')
            for positions, path, key in zip(
                (world, screen),
                self.paths,
                ('positions_3d', 'positions_2d'),
                strict=True,
            )
        ]
        if not isinstance(clips[0], dict) or not clips[0]:
            raise ValueError(f'{self.paths[0]}, {subject}: expected a dict of clips')
        for name in clips[0]:
            found = []
            for of_subject, path in zip(clips, self.paths, strict=True):
                views = find_entry(of_subject, name, f'{path}, {subject}')
                if not is_listing(views) or not len(views):
                    raise ValueError(
                        f'{path}, {subject}/{name}: expected a list of cameras, found '
                        f'{type(views).__name__}'
                    )
                found.append(views)
            yield subject, name, *found

    def _views(
        self,
        subject: str,
        name: str,
        points: Views,
        pixels: Views,
        cameras: Sequence[str],
    ) -> Iterator[Clip]:
        where = f'{self.paths[0]}, {subject}/{name}'
        if len(points) != len(pixels):
            raise ValueError(
                f'{where}: {len(points)} cameras, but {len(pixels)} in {self.paths[1]}'
            )
        for camera in cameras:
            number = int(camera)
            if number >= len(points):
                raise ValueError(
                    f'{where}: no camera {camera}; there are {len(points)}, from 0 on'
                )
            pose, screen = clip_arrays(
                points[number], pixels[number], f'{where}, camera {camera}'
            )
            valid = np.ones(len(pose), bool) if self.test else None
            clip = subject if self.test else name
            yield Clip(subject, clip, camera, absolute_positions(pose), screen, valid)


def absolute_positions(points: np.ndarray) -> np.ndarray:
    """Undo that joints were made relative to the top of the head.

    Args:
        points: (T, 17, 3), metres, camera axes; joint 0 absolute, the others absolute
            or relative to joint 0.

    Returns:
        (T, 17, 3), absolute.
    """
    to_neck = np.linalg.norm(points[:, NECK], axis=-1)
    # Nobody's neck is so near to a camera that sees the whole person.
    if not len(points) or not np.nanmedian(to_neck) < NEAREST:
        return points
    head_top = points[:, HEAD_TOP : HEAD_TOP + 1]
    return np.concatenate([head_top, points[:, HEAD_TOP + 1 :] + head_top], axis=1)
