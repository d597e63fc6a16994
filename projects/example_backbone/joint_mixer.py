"""An example of a backbone from outside the toolkit: a small MLP-mixer over time."""

from torch import Tensor, nn

from sealpose.registry import BACKBONES


@BACKBONES.register_module()
class JointMixer(nn.Module):
    """Embeds each frame, mixes frames and channels, predicts every frame.

    Args:
        num_joints: Joints J.
        num_frames: Frames T of the window.
        channels: Width of a frame's embedding.
        depth: Mixing blocks.
    """

    # What the toolkit asks of a backbone: its window, here set in the constructor, and
    # whether it predicts every frame of the window.
    seq2seq = True

    def __init__(
        self,
        num_joints: int = 17,
        num_frames: int = 27,
        channels: int = 128,
        depth: int = 2,
    ) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.embed = nn.Linear(num_joints * 2, channels)
        self.mix_frames = nn.ModuleList(_mlp(num_frames) for _ in range(depth))
        self.mix_channels = nn.ModuleList(_mlp(channels) for _ in range(depth))
        self.head = nn.Linear(channels, num_joints * 3)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3)."""
        x = self.embed(keypoints_2d.flatten(2))
        for frames, channels in zip(self.mix_frames, self.mix_channels, strict=True):
            x = x + frames(x.transpose(1, 2)).transpose(1, 2)
            x = x + channels(x)
        return self.head(x).unflatten(2, (-1, 3))


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, 2 * width),
        nn.GELU(),
        nn.Linear(2 * width, width),
    )
