"""Loss-nets over windows: a pose is judged by the frames around it too."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.geometry.bones import segment_lengths
from sealpose.registry import LOSS_NETS
from sealpose.seal.loss_nets.base import LossNet
from sealpose.seal.loss_nets.bone_features import (
    FEATURES,
    BoneFeatures,
    check_features,
)
from sealpose.skeletons import Skeleton
from sealpose.skeletons.build import build_for_skeleton

# Metres that count as one: how far joints move from frame to frame, and how much the
# length of a bone may differ within a window.
STEP_UNIT, LENGTH_UNIT = 0.02, 0.02

WINDOW_FEATURES = ('changes', 'motion')


@LOSS_NETS.register_module()
class PairwiseLossNet(LossNet):
    """A loss-net of single frames, and an energy for every two neighbours.

    The energy of a pair, an MLP over both poses and their 2D keypoints, is shared by
    its two frames. Only for backbones that predict several frames of a window.

    Args:
        skeleton: Skeleton of the poses, or its name.
        frame: Config of the loss-net of single frames.
        hidden_dims: Width of the MLP of the pairs.
    """

    frames_apart = False

    def __init__(
        self, skeleton: str | Skeleton, frame: Mapping, hidden_dims: int = 256
    ) -> None:
        super().__init__(skeleton)
        self.frame = build_for_skeleton(LOSS_NETS, frame, self.skeleton)
        joints = self.skeleton.num_joints
        self.pair = nn.Sequential(
            nn.Linear(joints * (2 + 3) * 2, hidden_dims),
            nn.SiLU(),
            nn.Linear(hidden_dims, hidden_dims),
            nn.SiLU(),
            nn.Linear(hidden_dims, 1),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy of each frame; see the base class.

        Raises:
            ValueError: a shape does not fit, or the windows have a single frame.
        """
        self._check_shapes(x, y)
        _check_window(self, y)
        frames = torch.cat([x, y], -1).flatten(2)
        middle = (frames[:, 1:] + frames[:, :-1]) / 2
        step = (frames[:, 1:] - frames[:, :-1]) / STEP_UNIT
        pairs = self.pair(torch.cat([middle, step], -1)).squeeze(-1)
        return self.frame(x, y) + (F.pad(pairs, (1, 0)) + F.pad(pairs, (0, 1))) / 2


@LOSS_NETS.register_module()
class TemporalLossNet(LossNet):
    """Convolutions over time, and means over the window, of the bones of its frames.

    The lengths of a person's bones do not change, so a window says more of them than a
    frame does. Only for backbones that predict several frames of a window.

    Each frame is described by features of its own, those of
    :class:`~sealpose.seal.loss_nets.bone_features.BoneFeatures`, and by two of the
    window:

    - ``changes``: how the segment lengths differ from their means over the window;
    - ``motion``: velocity and acceleration of the joints.

    Args:
        skeleton: Skeleton of the poses, or its name.
        features: Some of these.
        hidden_dims: Width.
        num_stages: Residual stages.
        kernel_size: Frames that a convolution sees.
        focal: Focal length in half image widths, for the feature ``residual``; None is
            a weakly perspective camera.
    """

    frames_apart = False

    def __init__(
        self,
        skeleton: str | Skeleton,
        features: Sequence[str] = ('lengths', 'keypoints', 'changes'),
        hidden_dims: int = 128,
        num_stages: int = 2,
        kernel_size: int = 3,
        focal: float | None = None,
    ) -> None:
        super().__init__(skeleton)
        check_features(features, FEATURES + WINDOW_FEATURES)
        of_frames = [name for name in features if name not in WINDOW_FEATURES]
        self.describe_frames = (
            BoneFeatures(self.skeleton, of_frames, focal) if of_frames else None
        )
        self.features = tuple(features)
        self.stem = nn.Sequential(
            nn.LazyConv1d(hidden_dims, kernel_size, padding='same'), nn.SiLU()
        )
        self.stages = nn.ModuleList(
            _WindowStage(hidden_dims, kernel_size) for _ in range(num_stages)
        )
        self.head = nn.Conv1d(hidden_dims, 1, 1)
        joints = self.skeleton.num_joints
        self(torch.zeros(1, 2, joints, 2), torch.ones(1, 2, joints, 3))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy of each frame; see the base class.

        Raises:
            ValueError: a shape does not fit, or the windows have a single frame.
        """
        self._check_shapes(x, y)
        _check_window(self, y)
        features = self.stem(self.describe(x, y).transpose(1, 2))
        for stage in self.stages:
            features = stage(features)
        return self.head(features)[:, 0]

    def describe(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the features (B, T', F) of windows.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y: Poses (B, T', J, 3), metres, root-relative, camera axes.
        """
        parts = []
        if self.describe_frames is not None:
            frames = self.describe_frames(x.flatten(0, 1), y.flatten(0, 1))
            parts.append(frames.unflatten(0, y.shape[:2]))
        if 'changes' in self.features:
            lengths = segment_lengths(y, self.skeleton)
            parts.append((lengths - lengths.mean(1, keepdim=True)) / LENGTH_UNIT)
        if 'motion' in self.features:
            parts.append(_motion(y))
        return torch.cat(parts, -1)


class _WindowStage(nn.Module):
    """A residual convolution (B, C, T') that is also told the mean of the window."""

    def __init__(self, dims: int, kernel_size: int) -> None:
        super().__init__()
        self.window = nn.Linear(dims, dims)
        self.conv = nn.Conv1d(dims, dims, kernel_size, padding='same')

    def forward(self, features: Tensor) -> Tensor:
        seen = features + self.window(features.mean(-1))[..., None]
        return features + F.silu(self.conv(seen))


def _motion(y: Tensor) -> Tensor:
    """Velocity and acceleration (B, T', 6J)."""
    velocity = torch.diff(y, dim=1) / STEP_UNIT
    # The first frame has no other before it: it moves as the second does.
    velocity = torch.cat([velocity[:, :1], velocity], 1)
    acceleration = torch.diff(velocity, dim=1, append=velocity[:, -1:])
    return torch.cat([velocity, acceleration], -1).flatten(2)


def _check_window(net: nn.Module, y: Tensor) -> None:
    if y.shape[1] < 2:
        raise ValueError(
            f'{type(net).__name__} compares the frames of a window, but was given '
            'windows of one predicted frame. Choose a backbone that predicts whole '
            'windows (seq2seq), or a loss-net of single frames such as GraphLossNet'
        )
