"""MPI-INF-3DHP in the files that P-STMO introduced."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sealpose.datasets.mpi_inf_3dhp_layout import (
    Clip,
    Layout,
    clip_arrays,
    find_entry,
    is_listing,
)
from sealpose.datasets.readers.npz import read_npz

MM_PER_METRE = 1000.0


class PSTMOFiles(Layout):
    """P-STMO's pair: ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``, millimetres.

    ``data`` holds ``S1 Seq1`` → [camera → {data_2d, data_3d}, frames per second], and
    ``TS1`` → {data_2d, data_3d, valid}.
    """

    def file_names(self) -> list[str]:
        """Return the one file that is needed."""
        return [f'data_{"test" if self.test else "train"}_3dhp.npz']

    def clips(
        self, subjects: Sequence[str], cameras: Sequence[str] | None
    ) -> Iterator[Clip]:
        """Read the clips of some subjects."""
        (data,) = read_npz(self.paths[0], 'data')
        names = [name for s in subjects for name in self._names(data, s)]
        if cameras is None and not self.test:
            # A camera that only some clips have must not go unnoticed.
            cameras = list(
                dict.fromkeys(c for n in names for c in self._views(data, n))
            )
        for name in names:
            if self.test:
                yield self._test_clip(name, data)
            else:
                yield from self._train_clips(name, self._views(data, name), cameras)
            # Large files: what has been passed on need not stay.
            del data[name]

    def _names(self, data: Any, subject: str) -> list[str]:
        """Return the clips of a subject; one of two may be missing, but not both."""
        names = [subject] if self.test else [f'{subject} Seq1', f'{subject} Seq2']
        present = [name for name in names if isinstance(data, dict) and name in data]
        if not present:
            find_entry(data, names[0], f'{self.paths[0]}, data')
        return present

    def _test_clip(self, subject: str, data: dict) -> Clip:
        where = f'{self.paths[0]}, {subject}'
        entry = data[subject]
        points, pixels = clip_arrays(
            find_entry(entry, 'data_3d', where),
            find_entry(entry, 'data_2d', where),
            where,
        )
        valid = np.ravel(find_entry(entry, 'valid', where))
        if valid.shape != points.shape[:1] or not np.isin(valid, (0, 1)).all():
            raise ValueError(
                f'{where}: expected `valid` to be 0 or 1 for each of {len(points)} '
                f'frames, found an array of {valid.dtype} of the shape {valid.shape}'
            )
        return Clip(
            subject, subject, '0', points / MM_PER_METRE, pixels, valid.astype(bool)
        )

    def _views(self, data: dict, name: str) -> dict[str, Any]:
        """Return camera to entry."""
        entry = data[name]
        pair = is_listing(entry) and len(entry) == 2
        if not pair or not isinstance(entry[0], dict):
            raise ValueError(
                f'{self.paths[0]}, {name}: expected a list of the cameras, in a dict, '
                'and the frame rate'
            )
        return {str(camera): view for camera, view in entry[0].items()}

    def _train_clips(
        self, name: str, views: dict[str, Any], cameras: Sequence[str]
    ) -> Iterator[Clip]:
        subject, clip = name.split()
        for camera in cameras:
            entry = find_entry(views, camera, f'{self.paths[0]}, {name}, cameras')
            where = f'{self.paths[0]}, {name}, camera {camera}'
            points, pixels = clip_arrays(
                find_entry(entry, 'data_3d', where),
                find_entry(entry, 'data_2d', where),
                where,
            )
            yield Clip(subject, clip, camera, points / MM_PER_METRE, pixels)
