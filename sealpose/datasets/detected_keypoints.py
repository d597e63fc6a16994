"""2D keypoints of a detector, without any truth: videos in the wild."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from sealpose.datasets.readers.detections import SKELETON_OF, read_detections
from sealpose.datasets.readers.npz import read_npz
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.tracks import GAPS, fill_track, split_tracks
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.geometry.camera import normalize_screen
from sealpose.registry import DATASETS
from sealpose.skeletons import JointMap, get_skeleton, map_joints

CUSTOM_LAYOUTS = {'h36m': 'h36m17', 'coco': 'coco17'}


@DATASETS.register_module()
class DetectedKeypoints(WindowDataset):
    """Tracks of people in a video, one sequence each, in the joints of a skeleton.

    Reads JSON files with the joints of COCO or COCO-WholeBody as mmpose, AlphaPose and
    rtmlib write them, folders of OpenPose, and npz files in VideoPose3D's form for
    videos of one's own. Joints that the detector does not give are made from others:
    docs/in_the_wild.md has the table. Frames are numbered from each person's first.

    Args:
        path: The file or folder.
        image_size: Width and height of the video, pixels; npz files know them.
        skeleton: Skeleton that the model was trained with.
        min_score: Joints with a lower confidence count as not seen.
        gaps: What stands in for joints that were not seen: ``interpolate`` over time,
            or ``mask``, the centre of the image, for models trained with missing
            joints. A joint that is never seen is masked either way.
        window: See :class:`WindowDataset`.
    """

    def __init__(
        self,
        path: str,
        image_size: tuple[int, int] | None = None,
        skeleton: str = 'h36m17',
        min_score: float = 0.3,
        gaps: str = 'interpolate',
        **window: Any,
    ) -> None:
        if gaps not in GAPS:
            raise ValueError(f'gaps must be one of {", ".join(GAPS)}; got {gaps!r}')
        self.path = Path(path)
        self.image_size = image_size
        self.min_score = min_score
        self.gaps = gaps
        super().__init__(skeleton=skeleton, **window)

    @property
    def metainfo(self) -> dict:
        """As of every data set; ``has_truth`` says that the 3D poses mean nothing."""
        return dict(super().metainfo, has_truth=False)

    def load_sequences(self) -> list[PoseSequence]:
        """Read every person of the file."""
        if self.path.suffix == '.npz':
            return self._from_npz()
        if self.image_size is None:
            raise ValueError(
                f'{self.path} does not say how large the images are; give image_size, '
                'the width and height of the video in pixels'
            )
        detections = read_detections(self.path)
        source = get_skeleton(SKELETON_OF[len(detections[0].points)])
        joint_map = map_joints(source, self.skeleton)
        try:
            tracks = {
                name: fill_track(track, self.min_score, self.gaps)
                for name, track in split_tracks(detections).items()
            }
        except ValueError as error:
            raise ValueError(f'{self.path}: {error}') from None
        return [
            self._sequence(*track, joint_map, self.image_size, subject=name)
            for name, track in tracks.items()
        ]

    def _from_npz(self) -> list[PoseSequence]:
        tracks, metadata = read_npz(self.path, 'positions_2d', 'metadata')
        layout = _lookup(metadata, 'layout_name', self.path, 'metadata')
        if layout not in CUSTOM_LAYOUTS:
            raise ValueError(
                f'{self.path}, metadata: the layout {layout!r} is unknown; expected '
                f'{" or ".join(CUSTOM_LAYOUTS)}'
            )
        source = get_skeleton(CUSTOM_LAYOUTS[layout])
        sizes = _lookup(metadata, 'video_metadata', self.path, 'metadata')
        sequences = []
        for video, clips in tracks.items():
            size = _lookup(sizes, video, self.path, 'video_metadata')
            size = tuple(_lookup(size, key, self.path, video) for key in ('w', 'h'))
            for points in _lookup(clips, 'custom', self.path, video):
                sequences.append(self._custom(points, source, size, video))
        return sequences

    def _custom(self, points, source, size, video: str) -> PoseSequence:
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 3 or points.shape[1:] != (source.num_joints, 2):
            raise ValueError(
                f'{self.path}, {video}: expected (frames, {source.num_joints}, 2), '
                f'found {points.shape}'
            )
        seen = np.isfinite(points).all(-1)
        joint_map = map_joints(source, self.skeleton)
        return self._sequence(points, seen, joint_map, size, subject=video)

    def _sequence(
        self,
        points: np.ndarray,
        seen: np.ndarray,
        joint_map: JointMap,
        size: tuple[int, int],
        subject: str,
    ) -> PoseSequence:
        print_log(
            f'{self.path}, {subject}: {len(points)} frames, '
            f'{100 * (1 - seen.mean()):.1f} % of the joints not seen',
            logger='current',
        )
        points = torch.from_numpy(points)
        there = torch.isfinite(points).all(-1)
        mapped = joint_map(points.nan_to_num(0))
        screen = normalize_screen(mapped, *size)
        # A joint made from others is there if all of them are.
        screen[joint_map((~there).double()[..., None])[..., 0] > 0] = 0
        return PoseSequence(
            keypoints_2d=screen.float(),
            keypoints_3d=torch.zeros(*screen.shape[:2], 3),
            subject=subject,
            action='detected',
            clip=self.path.stem,
            camera='video',
        )


def _lookup(entries: Any, key: str, path: Path, where: str) -> Any:
    if not isinstance(entries, dict) or key not in entries:
        raise ValueError(f'{path}, {where}: no entry {key!r}')
    return entries[key]
