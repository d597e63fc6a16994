"""H3WB: whole-body poses on single frames of Human3.6M, by its official protocols."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import nn

from sealpose.datasets.frame_counts import report_frames
from sealpose.datasets.h3wb_files import (
    IMAGES_FILE,
    Samples,
    read_json,
    read_test,
    read_train,
)
from sealpose.datasets.h36m_cameras import INTRINSICS
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.transforms.base import MASKED
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import normalize_screen
from sealpose.registry import DATASETS

FOLDS = 5
PROTOCOLS = ('official', 's7', *(f'fold{k}' for k in range(1, FOLDS + 1)))
TRAIN_SUBJECTS = ('S1', 'S5', 'S6', 'S7')
TRAIN_FILES = ('h3wb_train.npz', 'h3wb_train_bbox.npz', '2Dto3D_train.json')
OFFICIAL_SAMPLES = {'train': 80_000, 'test': 10_000}
# A pixel this near to the corner is no pixel: the keypoints are normalised already.
SMALL_PIXELS = 10.0
# Distance from hip to hip, metres; anything else is another unit.
HIPS = (0.1, 0.8)
HOW_TO_OBTAIN = (
    'Download h3wb_train.npz (or 2Dto3D_train.json) and task1_test_3d.npz, '
    'task2_test_3d.npz as github.com/wholebody3d/wholebody3d says; the data set is for '
    'research and builds on Human3.6M, whose licence applies too'
)


@DATASETS.register_module()
class H3WB(WindowDataset):
    """133 joints of body, feet, face and hands, of S1 5 6 7 (training) and S8 (test).

    Reads ``h3wb_train.npz`` (with or without boxes) or ``2Dto3D_train.json`` for
    training, ``task1_test_3d.npz`` (2D to 3D) or ``task2_test_3d.npz`` (incomplete 2D
    to 3D) for the test. Poses are relative to the middle of the hips. The data are
    single frames picked from the videos, 5 to 50 frames apart.

    Source: Y. Zhu et al., H3WB: Human3.6M 3D WholeBody dataset and benchmark, ICCV
    2023.

    Args:
        data_root: Folder of the files.
        split: ``train``, ``val`` or ``test``.
        protocol: ``official`` trains on all four subjects and validates on the test
            set; ``s7`` holds out S7 for validation; ``fold1`` to ``fold5`` hold out a
            fifth of the samples, by number, for the cross-validation that the authors
            ask for. The test set is S8 in all.
        task: 1 for complete, 2 for incomplete 2D keypoints: which test file.
        sparse_windows: Let a temporal network take its neighbours in the list of
            samples for consecutive frames.
        window: See :class:`WindowDataset`.

    Raises:
        FileNotFoundError: the files are not there; says how to get them.
        ValueError: a malformed file.
    """

    def __init__(
        self,
        data_root: str = 'data/h3wb',
        split: str = 'train',
        protocol: str = 'official',
        task: int = 1,
        sparse_windows: bool = False,
        **window: Any,
    ) -> None:
        _check_choice('split', split, ('train', 'val', 'test'))
        _check_choice('protocol', protocol, PROTOCOLS)
        _check_choice('task', task, (1, 2))
        self.data_root = Path(data_root)
        self.split = split
        self.protocol = protocol
        self.task = task
        self.sparse_windows = sparse_windows
        window.setdefault('skeleton', 'coco_wholebody133')
        super().__init__(**window)
        self._report_samples()

    @property
    def metainfo(self) -> dict:
        """As of every data set; its headline is the mean over frames."""
        info = dict(super().metainfo, headline='frame_mean')
        if not self._on_test_set():
            info['remarks'] = f'protocol {self.protocol}, not the test set of H3WB'
        return info

    def check_backbone(self, backbone: nn.Module) -> None:
        """Refuse temporal networks: neighbouring samples are not neighbouring frames.

        Args:
            backbone: Declares ``num_frames``.

        Raises:
            ValueError: it sees more than one frame, and nobody asked for that.
        """
        if backbone.num_frames > 1 and not self.sparse_windows:
            raise ValueError(
                f'{type(backbone).__name__} sees {backbone.num_frames} frames, but '
                'H3WB holds single frames, 5 to 50 video frames apart: what it would '
                'take for motion is none. Use a single-frame network, or set '
                'sparse_windows=True of the data set if that is what you want'
            )

    def source_files(self) -> list[Path]:
        """Return the files of the split."""
        images = self.path.with_name(IMAGES_FILE)
        with_images = self.path.suffix == '.json' and images.is_file()
        return [self.path, images] if with_images else [self.path]

    @property
    def path(self) -> Path:
        """File of the split."""
        if self._on_test_set():
            return self.data_root / f'task{self.task}_test_3d.npz'
        files = [self.data_root / name for name in TRAIN_FILES]
        return next((file for file in files if file.is_file()), files[0])

    def load_sequences(self) -> Iterator[PoseSequence]:
        """Read the samples of the split, grouped by subject, action and camera."""
        if not self.path.is_file():
            raise FileNotFoundError(
                f'H3WB needs a file that is not there:\n  {self.path}\n{HOW_TO_OBTAIN}'
            )
        self._masked = 0
        groups = list(self._read())
        _check_numbers(groups, self.path)
        for samples in self._chosen(groups):
            if len(samples.ids):
                yield self._sequence(samples)
        if self._masked:
            print_log(
                f'{self.path}: {self._masked} joints at pixel (0, 0) are taken for '
                'masked and lie at the centre of the screen',
                logger='current',
            )

    def _on_test_set(self) -> bool:
        return self.split == 'test' or (
            self.split == 'val' and self.protocol == 'official'
        )

    def _read(self) -> Iterator[Samples]:
        if self._on_test_set():
            return read_test(self.path)
        if self.path.suffix == '.json':
            return read_json(self.path)
        return read_train(self.path, TRAIN_SUBJECTS)

    def _chosen(self, groups: Sequence[Samples]) -> Iterator[Samples]:
        """Keep what the protocol gives to the split."""
        if self._on_test_set() or self.protocol == 'official':
            yield from groups
        elif self.protocol == 's7':
            held_out = self.split == 'val'
            yield from (g for g in groups if (g.subject == 'S7') == held_out)
        else:
            fold = int(self.protocol.removeprefix('fold')) - 1
            total = sum(len(group.ids) for group in groups)
            for group in groups:
                in_fold = group.ids // (total // FOLDS) == fold
                yield group.select(in_fold == (self.split == 'val'))

    def _sequence(self, samples: Samples) -> PoseSequence:
        where = f'{self.path}, {samples}'
        if samples.camera not in INTRINSICS:
            raise ValueError(
                f'{where}: unknown camera; expected one of {", ".join(INTRINSICS)}'
            )
        *_, width, height = INTRINSICS[samples.camera]
        points = torch.from_numpy(samples.points) / 1000
        pixels = torch.from_numpy(samples.pixels)
        if float(pixels.abs().median()) < SMALL_PIXELS:
            raise ValueError(
                f'{where}: the 2D keypoints lie around '
                f'{float(pixels.abs().median()):.3g}; expected pixels'
            )
        # The test file of the second task has its masked joints at pixel (0, 0).
        masked = (pixels == 0).all(-1, keepdim=True)
        screen = normalize_screen(pixels, width, height).masked_fill(masked, MASKED)
        self._masked += int(masked.sum())
        origin = points[:, list(self.skeleton.origin_joints)]
        left, right = self.skeleton.origin_joints
        hips = torch.linalg.vector_norm(points[:, left] - points[:, right], dim=-1)
        if not HIPS[0] < float(hips.median()) < HIPS[1]:
            raise ValueError(
                f'{where}: hips {float(hips.median()):.3g} m apart; the 3D keypoints '
                'are not in millimetres, or their joints are in another order'
            )
        return PoseSequence(
            keypoints_2d=screen.float(),
            keypoints_3d=(points - origin.mean(1, keepdim=True)).float(),
            subject=samples.subject,
            action=samples.action.split(' ')[0],
            clip=samples.action,
            camera=samples.camera,
        )

    def _report_samples(self) -> None:
        found = self.store.num_frames
        test = self._on_test_set()
        name = f'H3WB {self.split}, protocol {self.protocol}, task {self.task}'
        if self.protocol == 's7' and not test:
            print_log(f'{name}: {found} samples', logger='current')
            return
        expected = OFFICIAL_SAMPLES['test' if test else 'train']
        if not test and self.protocol != 'official':
            fifth = expected // FOLDS
            expected = fifth if self.split == 'val' else expected - fifth
        report_frames(name, {'samples': expected}, {'samples': found})


def _check_numbers(groups: Sequence[Samples], path: Path) -> None:
    """Refuse samples of one number, which would be in no fold or in several."""
    ids = np.concatenate([group.ids for group in groups] or [np.empty(0)])
    numbers, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f'{path}: the sample number {numbers[counts > 1][0]:.0f} appears '
            f'{counts.max()} times; each sample has its own'
        )


def _check_choice(name: str, value: Any, choices: Sequence) -> None:
    if value not in choices:
        raise ValueError(
            f'H3WB, {name}: expected one of {", ".join(map(str, choices))}, got '
            f'{value!r}'
        )
