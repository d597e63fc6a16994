"""Loss-nets over windows: a pose is judged by the frames around it too."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.geometry.bones import segment_lengths
from sealpose.registry import LOSS_NETS
from sealpose.seal.loss_nets.base import LossNet
from sealpose.skeletons import Skeleton
from sealpose.skeletons.build import build_for_skeleton

# Metres that count as one: how far joints move from frame to frame, and how much the
# length of a bone may differ within a window.
STEP_UNIT, LENGTH_UNIT = 0.02, 0.02


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
    """Convolutions over time that see how bones and joints change within a window.

    Each frame is described by its segment lengths, by how they differ from their means
    over the window (bones keep their length), and by velocity and acceleration of its
    joints (people move smoothly). Only for backbones that predict several frames of a
    window.

    Args:
        skeleton: Skeleton of the poses, or its name.
        hidden_dims: Width.
        num_stages: Residual stages.
        kernel_size: Frames that a convolution sees.
    """

    def __init__(
        self,
        skeleton: str | Skeleton,
        hidden_dims: int = 128,
        num_stages: int = 2,
        kernel_size: int = 3,
    ) -> None:
        super().__init__(skeleton)
        values = 2 * len(self.skeleton.segments) + 6 * self.skeleton.num_joints

        def convolve(dims: int) -> nn.Conv1d:
            return nn.Conv1d(dims, hidden_dims, kernel_size, padding='same')

        self.stem = nn.Sequential(convolve(values), nn.SiLU())
        self.stages = nn.ModuleList(
            nn.Sequential(convolve(hidden_dims), nn.SiLU()) for _ in range(num_stages)
        )
        self.head = nn.Conv1d(hidden_dims, 1, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy of each frame; see the base class.

        Raises:
            ValueError: a shape does not fit, or the windows have a single frame.
        """
        self._check_shapes(x, y)
        _check_window(self, y)
        features = self.stem(self.describe(y).transpose(1, 2))
        for stage in self.stages:
            features = features + stage(features)
        return self.head(features)[:, 0]

    def describe(self, y: Tensor) -> Tensor:
        """Return the features (B, T', F) of windows (B, T', J, 3), metres."""
        lengths = segment_lengths(y, self.skeleton)
        change = (lengths - lengths.mean(1, keepdim=True)) / LENGTH_UNIT
        velocity = torch.diff(y, dim=1) / STEP_UNIT
        # The first frame has no other before it: it moves as the second does.
        velocity = torch.cat([velocity[:, :1], velocity], 1)
        acceleration = torch.diff(velocity, dim=1, append=velocity[:, -1:])
        joints = torch.cat([velocity, acceleration], -1).flatten(2)
        return torch.cat([lengths, change, joints], -1)


def _check_window(net: nn.Module, y: Tensor) -> None:
    if y.shape[1] < 2:
        raise ValueError(
            f'{type(net).__name__} compares the frames of a window, but was given '
            'windows of one predicted frame. Choose a backbone that predicts whole '
            'windows (seq2seq), or a loss-net of single frames such as GraphLossNet'
        )
