"""A loss-net that sees a pose as its bones: lengths, directions and angles."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sealpose.registry import LOSS_NETS
from sealpose.seal.loss_nets.base import LossNet
from sealpose.seal.loss_nets.bone_features import BoneFeatures
from sealpose.skeletons import Skeleton


@LOSS_NETS.register_module()
class BoneLossNet(LossNet):
    """MLP with smooth activations over the bones of a pose.

    What the features leave out, the energy does not depend on: lengths, symmetry
    differences and angles alone make an energy that no rotation of the pose changes,
    whose gradient moves joints only to mend the structure.

    Args:
        skeleton: Skeleton of the poses, or its name.
        features: Some of those of
            :class:`~sealpose.seal.loss_nets.bone_features.BoneFeatures`.
        hidden_dims: Width.
        num_stages: Residual stages of two layers each.
        dropout: After each hidden layer, while the loss-net trains.
        focal: Focal length in half image widths, for the feature ``residual``; None is
            a weakly perspective camera.
    """

    def __init__(
        self,
        skeleton: str | Skeleton,
        features: Sequence[str] = ('lengths', 'angles'),
        hidden_dims: int = 256,
        num_stages: int = 1,
        dropout: float = 0.0,
        focal: float | None = None,
    ) -> None:
        super().__init__(skeleton)
        self.describe = BoneFeatures(self.skeleton, features, focal)
        self.stem = nn.Sequential(
            nn.LazyLinear(hidden_dims), nn.SiLU(), nn.Dropout(dropout)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Linear(hidden_dims, hidden_dims),
                nn.SiLU(),
                nn.Dropout(dropout),
                nn.Linear(hidden_dims, hidden_dims),
                nn.SiLU(),
                nn.Dropout(dropout),
            )
            for _ in range(num_stages)
        )
        self.head = nn.Linear(hidden_dims, 1)
        joints = self.skeleton.num_joints
        self.score(torch.zeros(1, joints, 2), torch.ones(1, joints, 3))

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy (N,) of N single poses; see the base class."""
        features = self.stem(self.describe(x, y))
        for stage in self.stages:
            features = features + stage(features)
        return self.head(features).squeeze(-1)
