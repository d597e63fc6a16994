"""LargeSimpleBaseline: the larger residual MLP of the whole-body benchmark H3WB.

Y. Zhu et al., H3WB: Human3.6M 3D WholeBody dataset and benchmark, ICCV 2023, after
J. Martinez et al., ICCV 2017. Original: https://github.com/wholebody3d/wholebody3d,
whose numbers this module gives with the same weights. It has neither batch norm nor
dropout. The other network that goes by this name, 2048 wide with three stages, is
``SimpleBaseline(channels=2048, num_stages=3)``.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    channels, inputs = state['upscale.weight'].shape
    return dict(
        num_joints=inputs // 2,
        channels=channels,
        num_stages=sum(key.endswith('.l1.weight') for key in state),
    )


@BACKBONES.register_module()
class LargeSimpleBaseline(Backbone):
    """Residual MLP over the flattened joints of one frame, with leaky ReLUs.

    Args:
        num_joints: Joints J.
        channels: Width of the hidden layers.
        num_stages: Residual blocks of two layers each.
    """

    seq2seq = True
    any_length = True
    official = OfficialWeights(
        source='wholebody3d/wholebody3d',
        renames=(
            (r'^upscale\.', 'expand.'),
            (
                r'^res_(\d+)\.l([12])\.',
                lambda match: f'stages.{int(match[1]) - 1}.{int(match[2]) - 1}.',
            ),
            (r'^pose3d\.', 'shrink.'),
        ),
        settings=_settings,
        output_layers=('shrink',),
    )

    def __init__(
        self, num_joints: int = 133, channels: int = 1024, num_stages: int = 3
    ) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.expand = nn.Linear(num_joints * 2, channels)
        self.stages = nn.ModuleList(
            nn.ModuleList(nn.Linear(channels, channels) for _ in range(2))
            for _ in range(num_stages)
        )
        self.shrink = nn.Linear(channels, num_joints * 3)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame."""
        self.check_joints(keypoints_2d)
        x = self.expand(keypoints_2d.flatten(0, 1).flatten(1))
        for first, second in self.stages:
            y = F.leaky_relu_(second(F.leaky_relu_(first(x))))
            x = F.leaky_relu_(x + y)
        return self.shrink(x).view(*keypoints_2d.shape[:3], 3)
