"""Stands for a network of somebody's repository, which knows nothing of this toolkit.

It has axes of its own, (B, 2, T, J, 1), returns two outputs, and is not registered.
"""

from torch import Tensor, nn


class ChannelsFirstNet(nn.Module):
    """Lifts with convolutions over frames and joints.

    Args:
        channels: Width.
        kernel: Frames of its convolution over time, odd.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.embed = nn.Conv3d(2, channels, 1)
        self.mix = nn.Conv3d(
            channels, channels, (kernel, 17, 1), padding=(kernel // 2, 8, 0)
        )
        self.head = nn.Conv3d(channels, 3, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, 2, T, J, 1) to poses (B, 3, T, J, 1) and features (B, C, T, J, 1)."""
        x = self.embed(x).relu()
        features = x + self.mix(x).relu()
        return self.head(features), features
