"""MPI-INF-3DHP in the files that published codes share, by its official protocol."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from sealpose.datasets.frame_counts import report_frames
from sealpose.datasets.mpi_inf_3dhp_layout import Clip, Layout
from sealpose.datasets.mpi_inf_3dhp_pair import PairFiles
from sealpose.datasets.mpi_inf_3dhp_protocol import (
    image_size,
    is_test,
    official_frames,
    split_subjects,
)
from sealpose.datasets.mpi_inf_3dhp_pstmo import PSTMOFiles
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import normalize_screen
from sealpose.registry import DATASETS
from sealpose.skeletons import Skeleton, get_skeleton
from sealpose.skeletons.mpi_inf_3dhp17 import MPI_INF_3DHP17

LAYOUTS = {'pstmo': PSTMOFiles, 'pair': PairFiles}
# A screen-normalised coordinate beyond this is no projection of a person in view.
IMPOSSIBLE = 10.0
# Median length of a shin, metres; anything else is another unit.
SHIN = (0.15, 0.8)
# Keypoints all nearer than this to 0 cannot be pixels.
PIXELS = 20.0
PART_OF_CLIP = re.compile(r'.* frames \d+-\d+ of (\d+)')
# What published results are for.
USUAL_ANNOTATION = 'univ_annot3'


@DATASETS.register_module()
class MPIINF3DHP(WindowDataset):
    """MPI-INF-3DHP: train on S1 to S8, test on the valid frames of TS1 to TS6.

    The protocol has no validation split; ``val`` is the test split, as in the published
    codes, unless ``subjects`` holds out training subjects. The other test frames serve
    as context. Training frames with impossible 2D keypoints are dropped: their clip is
    cut there. The numbers of frames are compared with the official ones, and
    docs/datasets/mpi_inf_3dhp.md tells more.

    Source: D. Mehta et al., Monocular 3D human pose estimation in the wild using
    improved CNN supervision, 3DV 2017.

    Args:
        data_root: Folder of the files.
        split: ``train``, ``val`` or ``test``.
        layout: ``pstmo``: P-STMO's ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``;
            ``pair``: ``data_3d_mpi_inf_3dhp.npz`` and ``data_2d_mpi_inf_3dhp_gt.npz``
            in the manner of VideoPose3D; ``auto``: which is there, P-STMO's first.
        subjects: Split to subjects, where they are not the standard ones, such as
            ``dict(train=['S1', 'S2'], val=['S8'])``.
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
        layout: str = 'auto',
        subjects: Mapping[str, Sequence[str]] | None = None,
        cameras: Sequence[int] | None = None,
        **window: Any,
    ) -> None:
        self.data_root = Path(data_root)
        self.split = split
        self.subjects = split_subjects(split, subjects)
        self.cameras = _camera_names(cameras)
        self.layout = self._choose_layout(layout)
        window.setdefault('skeleton', MPI_INF_3DHP17.name)
        _check_skeleton(get_skeleton(window['skeleton']))
        super().__init__(**window)
        self.annotation = self._files().annotation()
        self._report()

    @property
    def metainfo(self) -> dict:
        """As of every data set; its headline is the mean over frames."""
        unusual = self.annotation not in (None, USUAL_ANNOTATION)
        remarks = {'remarks': f'truth from {self.annotation}'} if unusual else {}
        return dict(super().metainfo, headline='frame_mean', **remarks)

    def source_files(self) -> list[Path]:
        """Return the files of the layout."""
        return self._files().paths

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read every clip of the split from every camera."""
        files = self._files()
        files.check()
        for clip in files.clips(self.subjects, self.cameras):
            _check_units(clip, self.skeleton, files.paths)
            sequence = _sequence(clip, self.skeleton.origin_joints)
            yield from [sequence] if clip.valid is not None else _cut(sequence)

    def _choose_layout(self, layout: str) -> str:
        if layout in LAYOUTS:
            return layout
        if layout != 'auto':
            raise ValueError(
                f'MPIINF3DHP has the layouts auto, {", ".join(LAYOUTS)}, not {layout!r}'
            )
        test = is_test(self.subjects[0])
        there = [
            name for name, kind in LAYOUTS.items() if kind(self.data_root, test).there()
        ]
        return there[0] if there else 'pstmo'

    def _files(self) -> Layout:
        return LAYOUTS[self.layout](self.data_root, is_test(self.subjects[0]))

    def _report(self) -> None:
        """Print what was read; from the store, which may come from the cache."""
        name = f'MPIINF3DHP {self.split}'
        if self.annotation is not None:
            print_log(f'{name}: annotations {self.annotation}', logger='current')
        found, dropped = self._frames_of_parts()
        official = official_frames(self.subjects)
        if not is_test(self.subjects[0]):
            print_log(
                f'{name}: {dropped} frames dropped, whose 2D keypoints lie more than '
                f'{IMPOSSIBLE / 2:g} image widths from the middle',
                logger='current',
            )
            cameras = {camera for by_camera in found.values() for camera in by_camera}
            name += f', each of {len(cameras)} cameras'
        # Of cameras that disagree, one that is not as it should be.
        worst = {
            part: min(by_camera.values(), key=lambda n, p=part: n == official.get(p))
            for part, by_camera in found.items()
        }
        report_frames(name, official, worst)

    def _frames_of_parts(self) -> tuple[dict[str, dict[str, int]], int]:
        """Return training clip or test subject to camera to frames; frames dropped."""
        found: dict[str, dict[str, int]] = {}
        dropped = 0
        counts = self.store.valid.split(self.store.lengths.tolist())
        for entry, valid in zip(self.store.sequences, counts, strict=True):
            subject, action, camera = (
                entry[k] for k in ('subject', 'action', 'camera')
            )
            part = subject if is_test(subject) else f'{subject} {action}'
            cut = PART_OF_CLIP.fullmatch(entry['clip'])
            kept = int(valid.sum())
            frames = int(cut[1]) if cut else kept
            cameras = found.setdefault(part, {})
            dropped += (0 if camera in cameras else frames) - kept
            cameras[camera] = frames
        return found, dropped


def _camera_names(cameras: Sequence[int] | None) -> list[str] | None:
    if cameras is None:
        return None
    if not cameras or not all(str(camera).isdecimal() for camera in cameras):
        raise ValueError(
            f'MPIINF3DHP, cameras: expected numbers of cameras such as 0 and 8, got '
            f'{cameras!r}'
        )
    return [str(camera) for camera in cameras]


def _sequence(clip: Clip, origin: Sequence[int]) -> PoseSequence:
    points = torch.from_numpy(clip.points)
    screen = normalize_screen(torch.from_numpy(clip.pixels), *image_size(clip.subject))
    return PoseSequence(
        keypoints_2d=screen.float(),
        keypoints_3d=(points - points[:, list(origin)].mean(1, keepdim=True)).float(),
        subject=clip.subject,
        action=clip.name,
        clip=clip.name,
        camera=clip.camera,
        valid=None if clip.valid is None else torch.from_numpy(clip.valid),
    )


def _cut(sequence: PoseSequence) -> Iterator[PoseSequence]:
    """Cut a sequence at its impossible frames; the names of the parts say where."""
    farthest = sequence.keypoints_2d.abs().amax((1, 2))
    # What is not finite is a fault of the file, for the store to name.
    possible = (farthest <= IMPOSSIBLE) | ~farthest.isfinite()
    if possible.all():
        yield sequence
        return
    for begin, end in _runs(possible):
        yield replace(
            sequence,
            keypoints_2d=sequence.keypoints_2d[begin:end],
            keypoints_3d=sequence.keypoints_3d[begin:end],
            clip=f'{sequence.clip} frames {begin}-{end - 1} of {len(possible)}',
        )


def _runs(mask: Tensor) -> list[tuple[int, int]]:
    """Return begin and end of each run of True."""
    edges = torch.diff(torch.nn.functional.pad(mask.int(), (1, 1)))
    begins, ends = (edges == 1).nonzero(), (edges == -1).nonzero()
    return list(zip(begins[:, 0].tolist(), ends[:, 0].tolist(), strict=True))


def _check_skeleton(skeleton: Skeleton) -> None:
    if skeleton.joint_names != MPI_INF_3DHP17.joint_names:
        raise ValueError(
            f'MPIINF3DHP comes in the skeleton {MPI_INF_3DHP17.name}, not '
            f'{skeleton.name!r}; MappedDataset gives it to models of another one'
        )


def _check_units(clip: Clip, skeleton: Skeleton, paths: Sequence[Path]) -> None:
    ankle, knee = skeleton.index('left_ankle'), skeleton.index('left_knee')
    shin = torch.from_numpy(clip.points[:, ankle] - clip.points[:, knee])
    length = float(torch.linalg.vector_norm(shin, dim=-1).nanmedian())
    if length == length and not SHIN[0] < length < SHIN[1]:
        raise ValueError(
            f'{paths[0]}, {clip}: a shin {length:.3g} m long, expected {SHIN[0]} to '
            f'{SHIN[1]}; the 3D positions have another unit than this layout, or their '
            'joints another order'
        )
    farthest = (
        float(torch.from_numpy(clip.pixels).abs().amax()) if len(shin) else PIXELS
    )
    if farthest < PIXELS:
        raise ValueError(
            f'{paths[-1]}, {clip}: the 2D keypoints lie within {farthest:.3g} of 0, '
            'expected pixels; they seem to be normalised already'
        )
