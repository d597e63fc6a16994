"""A loss-net without structure: a wide MLP over all coordinates of a pose."""

import torch
from torch import Tensor, nn

from sealpose.registry import LOSS_NETS
from sealpose.seal.loss_nets.base import FUSIONS, LossNet, check_choice
from sealpose.skeletons import Skeleton


@LOSS_NETS.register_module()
class MLPLossNet(LossNet):
    """Residual MLP over the flattened 2D and 3D joints.

    The baseline lifter's architecture with one output, as published: 4,287,489
    parameters at 17 joints, 4,297,729 with batch norm.

    Args:
        skeleton: Skeleton of the poses, or its name.
        hidden_dims: Width.
        num_stages: Residual stages of two layers each.
        dropout: After each hidden layer, while the loss-net trains.
        batch_norm: Normalise each hidden layer over the batch. Truth and negatives
            then go through the loss-net one after the other while it trains, so that
            their statistics do not mix.
        fusion: How 2D and 3D meet: ``early`` in the first layer, ``late`` after a layer
            of their own, ``pose`` not at all: the energy of the pose alone.
    """

    def __init__(
        self,
        skeleton: str | Skeleton,
        hidden_dims: int = 1024,
        num_stages: int = 2,
        dropout: float = 0.5,
        batch_norm: bool = False,
        fusion: str = 'early',
    ) -> None:
        super().__init__(skeleton)
        self.fusion = check_choice(self, 'fusion', fusion, FUSIONS)

        def layer(in_dims: int) -> list[nn.Module]:
            norm = [nn.BatchNorm1d(hidden_dims)] if batch_norm else []
            linear = nn.Linear(in_dims, hidden_dims)
            return [linear, *norm, nn.ReLU(), nn.Dropout(dropout)]

        joints = self.skeleton.num_joints
        self.stem = nn.Sequential(*layer(joints * (5 if fusion == 'early' else 3)))
        if fusion == 'late':
            self.keypoint_stem = nn.Sequential(*layer(joints * 2))
        self.stages = nn.ModuleList(
            nn.Sequential(*layer(hidden_dims), *layer(hidden_dims))
            for _ in range(num_stages)
        )
        self.head = nn.Linear(hidden_dims, 1)

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy (N,) of N single poses; see the base class."""
        x, y = x.flatten(1), y.flatten(1)
        features = self.stem(torch.cat([x, y], -1) if self.fusion == 'early' else y)
        if self.fusion == 'late':
            features = features + self.keypoint_stem(x)
        for stage in self.stages:
            features = features + stage(features)
        return self.head(features).squeeze(-1)
