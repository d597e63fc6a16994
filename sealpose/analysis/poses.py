"""The poses to analyse: predictions with their truth, or some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sealpose.analysis.energy_field import Windows
from sealpose.evaluation.predictions import check_poses
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import Skeleton, get_skeleton, sub_skeleton

# Each value belongs to one frame alone, so frames may be left out.
MEASURES = ('MPJPE', 'P-MPJPE', 'LSE', 'BSLE', 'LLE')
# Field to entry of a predictions file.
ENTRIES = {'x': 'keypoints_2d', 'pred': 'keypoints_3d_pred', 'gt': 'keypoints_3d_gt'}


@dataclass(frozen=True)
class PoseSet:
    """Frames that a pose-net predicted.

    Args:
        name: Of the pose-net.
        dataset: Of the data set.
        skeleton: The skeleton of the poses.
        x: (N, J, 2), screen-normalised.
        pred: (N, J, 3), metres, root-relative, camera axes.
        gt: (N, J, 3), the truth.
        sequence: (N,) int64: the sequence of each frame, one camera's view of a clip.
        clip: (N,) int64: the clip of each frame.
        frame: (N,) int64: number of each frame in its sequence.
        joints: Joints that are compared with the truth; None for all.
    """

    name: str
    dataset: str
    skeleton: Skeleton
    x: Tensor
    pred: Tensor
    gt: Tensor
    sequence: Tensor
    clip: Tensor
    frame: Tensor
    joints: Sequence[str] | None = None

    @classmethod
    def from_predictions(
        cls,
        predictions: Mapping[str, np.ndarray],
        source: str,
        joints: Sequence[str] | None = None,
    ) -> 'PoseSet':
        """Take the entries of a predictions file.

        Args:
            predictions: As :func:`load_predictions` returns them.
            source: Where they come from, for errors.
            joints: Joints that are compared with the truth; None for all.

        Raises:
            ValueError: there are no frames, poses do not fit the skeleton or are not
                finite, or there is no truth.
        """
        skeleton = get_skeleton(str(predictions['skeleton']))
        check_poses(source, predictions, skeleton)
        sequence = torch.from_numpy(predictions['sequence']).long()
        names = [f'{predictions[k]}' for k in ('dataset', 'name')]
        pairs = zip(predictions['subject'], predictions['clip'], strict=True)
        clips = np.unique([f'{s}/{c}' for s, c in pairs], return_inverse=True)[1]
        poses = {
            key: torch.from_numpy(predictions[entry]).float()
            for key, entry in ENTRIES.items()
        }
        return cls(
            name=names[1],
            dataset=names[0],
            skeleton=skeleton,
            **poses,
            sequence=sequence,
            clip=torch.from_numpy(clips)[sequence],
            frame=torch.from_numpy(predictions['frame']),
            joints=joints,
        )

    def __len__(self) -> int:
        return len(self.pred)

    def take(self, rows: Tensor) -> 'PoseSet':
        """Return some of the frames.

        Args:
            rows: (M,) int64.
        """
        chosen = {
            key: value[rows] if isinstance(value, Tensor) else value
            for key, value in vars(self).items()
        }
        return PoseSet(**chosen)

    def to(self, device: torch.device) -> 'PoseSet':
        """Return it on another device."""
        moved = {
            key: value.to(device) if isinstance(value, Tensor) else value
            for key, value in vars(self).items()
        }
        return PoseSet(**moved)

    def measures(self) -> tuple[str, ...]:
        """Name the metrics that the skeleton allows."""
        skeleton = self._compared()[1]
        impossible = {
            'LSE': not skeleton.symmetric_segments,
            'LLE': not skeleton.limb_segments,
        }
        return tuple(name for name in MEASURES if not impossible.get(name))

    def metric(self, name: str, poses: Tensor) -> Tensor:
        """Measure poses against the truth.

        Args:
            name: From FRAME_METRICS.
            poses: (N, J, 3), metres.

        Returns:
            (N,), in the unit of the metric.
        """
        joints, skeleton = self._compared()
        return FRAME_METRICS.get(name)(poses[:, joints], self.gt[:, joints], skeleton)

    def _compared(self) -> tuple[list[int], Skeleton]:
        names = self.joints or self.skeleton.joint_names
        joints = [self.skeleton.index(name) for name in names]
        whole = len(joints) == self.skeleton.num_joints
        return joints, self.skeleton if whole else sub_skeleton(self.skeleton, names)


def spread_evenly(total: int, count: int) -> Tensor:
    """Choose numbers below ``total``, evenly spread, at most ``count`` of them."""
    if count >= total:
        return torch.arange(total)
    return (torch.arange(count, dtype=torch.float64) * total / count).long()


def thin(poses: PoseSet, length: int, max_frames: int) -> tuple[PoseSet, Windows]:
    """Keep some windows of a loss-net, evenly spread.

    Args:
        poses: All frames.
        length: Frames of a window.
        max_frames: About how many frames to keep.

    Returns:
        The frames that the windows see, and the windows over them.
    """
    windows = Windows.over(poses.sequence, poses.frame, length)
    count = max(max_frames // length, 1)
    windows, seen = windows.take(spread_evenly(len(windows.rows), count))
    return poses.take(seen), windows
