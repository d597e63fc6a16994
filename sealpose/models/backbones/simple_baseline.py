"""SimpleBaseline: a residual MLP that lifts single frames.

J. Martinez et al., A simple yet effective baseline for 3d human pose estimation, ICCV
2017. In screen-normalised 2D and metres, as later codes use it, rather than z-scores.
"""

from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.registry import BACKBONES


@BACKBONES.register_module()
class SimpleBaseline(Backbone):
    """Residual MLP over the flattened joints of one frame.

    Args:
        num_joints: Joints J.
        channels: Width of the hidden layers.
        num_stages: Residual blocks of two layers each.
        dropout: Drop probability after each hidden layer.
    """

    seq2seq = True
    any_length = True

    def __init__(
        self,
        num_joints: int = 17,
        channels: int = 1024,
        num_stages: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.expand = _layer(num_joints * 2, channels, dropout)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _layer(channels, channels, dropout), _layer(channels, channels, dropout)
            )
            for _ in range(num_stages)
        )
        self.shrink = nn.Linear(channels, num_joints * 3)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame."""
        batch, frames, joints, _ = keypoints_2d.shape
        x = self.expand(keypoints_2d.flatten(0, 1).flatten(1))
        for stage in self.stages:
            x = x + stage(x)
        return self.shrink(x).view(batch, frames, joints, 3)


def _layer(channels_in: int, channels_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels_in, channels_out),
        nn.BatchNorm1d(channels_out),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )
