"""MPI-INF-3DHP in the files that published codes share, by its official protocol."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from sealpose.datasets.frame_counts import report_frames
from sealpose.datasets.mpi_inf_3dhp_files import Clip, PairFiles, PSTMOFiles
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import normalize_screen
from sealpose.registry import DATASETS

SUBJECTS = {
    'train': tuple(f'S{n}' for n in range(1, 9)),
    'test': tuple(f'TS{n}' for n in range(1, 7)),
}
TRAIN_SIZE = (2048, 2048)
TEST_SIZES = {'TS5': (1920, 1080), 'TS6': (1920, 1080)}
# Frames of each training clip from one camera, and valid test frames.
TRAIN_FRAMES = {
    'S1 Seq1': 6416, 'S1 Seq2': 12430, 'S2 Seq1': 6502, 'S2 Seq2': 6081,
    'S3 Seq1': 12488, 'S3 Seq2': 12283, 'S4 Seq1': 6171, 'S4 Seq2': 6675,
    'S5 Seq1': 12820, 'S5 Seq2': 12312, 'S6 Seq1': 6188, 'S6 Seq2': 6145,
    'S7 Seq1': 6239, 'S7 Seq2': 6320, 'S8 Seq1': 6468, 'S8 Seq2': 6054,
}  # fmt: skip
TEST_FRAMES = {'TS1': 603, 'TS2': 540, 'TS3': 505, 'TS4': 553, 'TS5': 276, 'TS6': 452}
# A screen-normalised coordinate beyond this is no projection of a person in view.
IMPOSSIBLE = 10.0
# Median length of a shin, metres; anything else is another unit.
SHIN = (0.15, 0.8)


@DATASETS.register_module()
class MPIINF3DHP(WindowDataset):
    """MPI-INF-3DHP: train on S1 to S8, test on the valid frames of TS1 to TS6.

    Reads P-STMO's ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``, or, where these
    are missing, the pair ``data_3d_mpi_inf_3dhp.npz`` and
    ``data_2d_mpi_inf_3dhp_gt.npz`` in the manner of VideoPose3D. Whether they hold
    ``univ_annot3`` or ``annot3`` is for the file to know. Training frames with
    impossible 2D keypoints are dropped: their clip is cut there.

    Source: D. Mehta et al., Monocular 3D human pose estimation in the wild using
    improved CNN supervision, 3DV 2017.

    Args:
        data_root: Folder of the files.
        split: ``train``, ``val`` or ``test``; ``val`` is the test set, as in the
            published codes, unless ``subjects`` holds out training subjects.
        subjects: Subjects instead of those of the split: ``['S8']``.
        cameras: Numbers of the training cameras; all in the file if None.
        window: See :class:`WindowDataset`.

    Raises:
        FileNotFoundError: the files are not there; says how to get them.
        ValueError: a malformed file, or test subjects in training.
    """

    def __init__(
        self,
        data_root: str = 'data/mpi_inf_3dhp',
        split: str = 'train',
        subjects: Sequence[str] | None = None,
        cameras: Sequence[int] | None = None,
        **window: Any,
    ) -> None:
        self.data_root = Path(data_root)
        self.split = split
        self.subjects = _check_subjects(split, subjects)
        self.cameras = None if cameras is None else [str(c) for c in cameras]
        window.setdefault('skeleton', 'mpi_inf_3dhp17')
        super().__init__(**window)
        self._report_frames()

    @property
    def metainfo(self) -> dict:
        """As of every data set; its headline is the mean over frames."""
        return dict(super().metainfo, headline='frame_mean')

    def source_files(self) -> list[Path]:
        """Return the files of the layout that is there."""
        return self._files().paths

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read every clip of the split from every camera."""
        files = self._files()
        files.check()
        dropped = 0
        for clip in files.clips(self.subjects, self.cameras):
            size = TEST_SIZES.get(clip.subject, TRAIN_SIZE)
            sequence = _sequence(clip, size, self.skeleton.origin_joints)
            _check_unit(sequence, self.skeleton.index, files.paths[0])
            if clip.valid is not None:
                yield sequence
                continue
            possible = sequence.keypoints_2d.abs().amax((1, 2)) <= IMPOSSIBLE
            dropped += int((~possible).sum())
            yield from _runs(sequence, possible)
        if dropped:
            print_log(
                f'MPIINF3DHP {self.split}: {dropped} frames dropped, whose 2D '
                f'keypoints lie more than {IMPOSSIBLE:g} image widths off',
                logger='current',
            )

    def _files(self) -> PSTMOFiles | PairFiles:
        test = self.subjects[0].startswith('TS')
        pstmo = PSTMOFiles(self.data_root, test)
        pair = PairFiles(self.data_root, test)
        return pair if pair.there() and not pstmo.there() else pstmo

    def _report_frames(self) -> None:
        test = self.subjects[0].startswith('TS')
        official = TEST_FRAMES if test else TRAIN_FRAMES
        expected = {
            part: frames
            for part, frames in official.items()
            if part.split()[0] in self.subjects
        }
        found: dict[str, dict[str, int]] = {}
        counts = self.store.valid.split(self.store.lengths.tolist())
        for entry, valid in zip(self.store.sequences, counts, strict=True):
            part = entry['subject'] if test else f'{entry["subject"]} {entry["action"]}'
            found.setdefault(part, {}).setdefault(entry['camera'], 0)
            found[part][entry['camera']] += int(valid.sum())
        # Frames of the camera that lost fewest to impossible keypoints.
        largest = {part: max(by_camera.values()) for part, by_camera in found.items()}
        report_frames(f'MPIINF3DHP {self.split}, per camera', expected, largest)


def _check_subjects(split: str, subjects: Sequence[str] | None) -> tuple[str, ...]:
    if split not in ('train', 'val', 'test'):
        raise ValueError(f'MPIINF3DHP has the splits train, val, test, not {split!r}')
    if subjects is None:
        return SUBJECTS['train' if split == 'train' else 'test']
    known = [*SUBJECTS['train'], *SUBJECTS['test']]
    unknown = [subject for subject in subjects if subject not in known]
    if unknown or not subjects:
        raise ValueError(
            f'MPIINF3DHP has no subjects {", ".join(unknown) or "(none given)"}; it '
            f'has {", ".join(known)}'
        )
    is_test = {subject.startswith('TS') for subject in subjects}
    if len(is_test) > 1 or (split == 'train' and True in is_test):
        raise ValueError(
            f'MPIINF3DHP, split {split!r}: subjects {", ".join(subjects)} mix training '
            'with test data; train on some of S1 to S8, test on some of TS1 to TS6'
        )
    return tuple(subjects)


def _sequence(clip: Clip, size: tuple[int, int], origin: Sequence[int]) -> PoseSequence:
    points = torch.from_numpy(np.asarray(clip.points, np.float64))
    pixels = torch.from_numpy(np.asarray(clip.pixels, np.float64))
    relative = points - points[:, list(origin)].mean(1, keepdim=True)
    valid = clip.valid
    return PoseSequence(
        keypoints_2d=normalize_screen(pixels, *size).float(),
        keypoints_3d=relative.float(),
        subject=clip.subject,
        action=clip.name,
        clip=clip.name,
        camera=clip.camera,
        valid=None if valid is None else torch.from_numpy(valid),
    )


def _runs(sequence: PoseSequence, possible: Tensor) -> Iterator[PoseSequence]:
    """Cut a sequence at the frames that are not possible."""
    if possible.all():
        yield sequence
        return
    edges = torch.diff(torch.nn.functional.pad(possible.int(), (1, 1)))
    begins, ends = (edges == 1).nonzero(), (edges == -1).nonzero()
    for part, (begin, end) in enumerate(zip(begins, ends, strict=True), start=1):
        frames = slice(int(begin), int(end))
        yield PoseSequence(
            sequence.keypoints_2d[frames],
            sequence.keypoints_3d[frames],
            subject=sequence.subject,
            action=sequence.action,
            clip=f'{sequence.clip} part {part}',
            camera=sequence.camera,
        )


def _check_unit(sequence: PoseSequence, index: Any, path: Path) -> None:
    pose = sequence.keypoints_3d
    shin = pose[:, index('left_ankle')] - pose[:, index('left_knee')]
    length = float(torch.linalg.vector_norm(shin, dim=-1).median())
    if not SHIN[0] < length < SHIN[1]:
        raise ValueError(
            f'{path}, {sequence}: a shin {length:.4g} m long; the 3D positions are not '
            'in the unit of this layout, or their joints are in another order'
        )
