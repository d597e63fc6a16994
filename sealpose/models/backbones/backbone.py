"""What every backbone declares about itself."""

from torch import Tensor, nn


class Backbone(nn.Module):
    """A network that lifts windows of 2D keypoints to 3D joints.

    ``forward`` takes (B, T, J, 2) screen-normalised keypoints and returns (B, T', J, 3)
    metres, root-relative, camera axes. Subclassing is a convenience: a third party's
    ``nn.Module`` that sets the three attributes works as well.

    Attributes:
        num_frames: Frames T of the window.
        seq2seq: True if it predicts every frame of its window (T' = T), False if only
            the centre one (T' = 1).
        any_length: True if a longer window is welcome at test time and gives
            T - num_frames + 1 frames (T frames for seq2seq).
    """

    num_frames: int = 1
    seq2seq: bool = False
    any_length: bool = False

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T', J, 3)."""
        raise NotImplementedError
