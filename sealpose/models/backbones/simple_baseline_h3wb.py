"""H3WBSimpleBaseline: the SimpleBaseline of the whole-body benchmark H3WB.

Y. Zhu et al., H3WB: Human3.6M 3D WholeBody dataset and benchmark, ICCV 2023, after
J. Martinez et al., ICCV 2017. Original: https://github.com/wholebody3d/wholebody3d,
whose numbers this module gives with the same weights. What differs: dropout is off at
test time. The original makes its dropout layers anew in every forward pass, so that
they never leave the train mode and two predictions of one pose differ;
``dropout_in_eval`` gives that behaviour.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    channels, inputs = state['upscale.weight'].shape
    return dict(num_joints=inputs // 2, channels=channels)


@BACKBONES.register_module()
class H3WBSimpleBaseline(Backbone):
    """Residual MLP over the flattened joints of one frame; a bare linear layer first.

    Args:
        num_joints: Joints J.
        channels: Width of the hidden layers.
        dropout: Drop probability after each hidden layer.
        dropout_in_eval: Drop at test time too, as the published numbers did.
    """

    seq2seq = True
    any_length = True
    official = OfficialWeights(
        source='wholebody3d/wholebody3d',
        renames=(
            (r'^upscale\.', 'expand.'),
            (r'^fc([1-4])\.', lambda match: f'linears.{int(match[1]) - 1}.'),
            (r'^bn([1-4])\.', lambda match: f'norms.{int(match[1]) - 1}.'),
            (r'^outputlayer\.', 'shrink.'),
        ),
        settings=_settings,
        output_layers=('shrink',),
    )

    def __init__(
        self,
        num_joints: int = 133,
        channels: int = 1024,
        dropout: float = 0.5,
        dropout_in_eval: bool = False,
    ) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.dropout = dropout
        self.dropout_in_eval = dropout_in_eval
        self.expand = nn.Linear(num_joints * 2, channels)
        self.linears = nn.ModuleList(nn.Linear(channels, channels) for _ in range(4))
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(4))
        self.shrink = nn.Linear(channels, num_joints * 3)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame."""
        self.check_joints(keypoints_2d)
        x = self.expand(keypoints_2d.flatten(0, 1).flatten(1))
        for first in (0, 2):
            x = x + self._layer(self._layer(x, first), first + 1)
        return self.shrink(x).view(*keypoints_2d.shape[:3], 3)

    def _layer(self, x: Tensor, i: int) -> Tensor:
        x = F.relu_(self.norms[i](self.linears[i](x)))
        return F.dropout(x, self.dropout, self.training or self.dropout_in_eval)
