"""VideoPose3D: temporal convolutions over 2D keypoints.

D. Pavllo et al., 3D human pose estimation in video with temporal convolutions and
semi-supervised training, CVPR 2019. Original:
https://github.com/facebookresearch/VideoPose3D, whose numbers this module gives with
the same weights. What differs: one module has the strided form for training and the
dilated form for whole sequences. The causal form is left out: its prediction belongs to
the last frame of the window, where windows here are centred on what they predict.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    channels, inputs, first = state['expand_conv.weight'].shape
    blocks = sum(key.startswith('layers_conv.') for key in state) // 2
    widths = [state[f'layers_conv.{2 * i}.weight'].shape[2] for i in range(blocks)]
    return dict(
        num_joints=inputs // 2, filter_widths=(first, *widths), channels=channels
    )


@BACKBONES.register_module()
class VideoPose3D(Backbone):
    """Dilated temporal convolutions with residual blocks; predicts the centre frame.

    A window as long as the receptive field takes strided convolutions, which compute
    only what its one output frame needs. A longer one takes dilated convolutions with
    the same weights and gives a prediction for every frame that has a full receptive
    field: the way to run whole sequences at test time.

    Args:
        num_joints: Joints J.
        filter_widths: Odd width of each temporal convolution; the receptive field is
            their product.
        channels: Width of the hidden layers.
        dropout: Drop probability after each convolution.
    """

    any_length = True
    official = OfficialWeights(
        source='facebookresearch/VideoPose3D',
        settings=_settings,
        output_layers=('shrink',),
    )

    def __init__(
        self,
        num_joints: int = 17,
        filter_widths: Sequence[int] = (3, 3, 3),
        channels: int = 1024,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if not filter_widths or any(width % 2 == 0 for width in filter_widths):
            raise ValueError(
                f'filter_widths must be odd numbers, at least one; got {filter_widths}'
            )
        self.num_joints = num_joints
        self.filter_widths = tuple(filter_widths)
        self.num_frames = math.prod(filter_widths)
        first, *rest = filter_widths
        self.expand_conv = nn.Conv1d(num_joints * 2, channels, first, bias=False)
        self.expand_bn = nn.BatchNorm1d(channels)
        self.layers_conv = nn.ModuleList()
        self.layers_bn = nn.ModuleList()
        for width in rest:
            for kernel in (width, 1):
                self.layers_conv.append(
                    nn.Conv1d(channels, channels, kernel, bias=False)
                )
                self.layers_bn.append(nn.BatchNorm1d(channels))
        self.shrink = nn.Conv1d(channels, num_joints * 3, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T - num_frames + 1, J, 3)."""
        self.check_joints(keypoints_2d)
        frames = keypoints_2d.shape[1]
        if frames < self.num_frames:
            raise ValueError(
                f'VideoPose3D with filter widths {self.filter_widths} needs windows of '
                f'at least {self.num_frames} frames, got {frames}'
            )
        strided = frames == self.num_frames
        x = keypoints_2d.flatten(2).transpose(1, 2)
        x = self._temporal(x, self.expand_conv, 1, strided)
        x = self._activate(x, self.expand_bn)
        dilation = self.filter_widths[0]
        for block, width in enumerate(self.filter_widths[1:]):
            x = self._block(x, block, width, dilation, strided)
            dilation *= width
        return self.shrink(x).transpose(1, 2).unflatten(2, (self.num_joints, 3))

    def _block(
        self, x: Tensor, block: int, width: int, dilation: int, strided: bool
    ) -> Tensor:
        wide, narrow = self.layers_conv[2 * block], self.layers_conv[2 * block + 1]
        half = width // 2
        if strided:
            shortcut = x[:, :, half::width]
        else:
            shortcut = x[:, :, half * dilation : x.shape[2] - half * dilation]
        x = self._temporal(x, wide, dilation, strided)
        x = self._activate(x, self.layers_bn[2 * block])
        x = self._activate(narrow(x), self.layers_bn[2 * block + 1])
        return shortcut + x

    def _temporal(
        self, x: Tensor, conv: nn.Conv1d, dilation: int, strided: bool
    ) -> Tensor:
        if strided:
            return F.conv1d(x, conv.weight, stride=conv.kernel_size)
        return F.conv1d(x, conv.weight, dilation=dilation)

    def _activate(self, x: Tensor, norm: nn.BatchNorm1d) -> Tensor:
        return self.dropout(F.relu_(norm(x)))
