"""What every backbone declares about itself."""

from typing import ClassVar

from torch import Tensor, nn

from sealpose.models.backbones.official import OfficialWeights


class Backbone(nn.Module):
    """A network that lifts windows of 2D keypoints to 3D joints.

    ``forward`` takes (B, T, J, 2) screen-normalised keypoints and returns (B, T', J, 3)
    metres, root-relative, camera axes. Subclassing is a convenience: a third party's
    ``nn.Module`` that sets ``num_frames`` and ``seq2seq`` works as well.

    Attributes:
        num_joints: Joints J.
        num_frames: Frames T of the window.
        seq2seq: True if it predicts every frame of its window (T' = T), False if only
            the centre one (T' = 1).
        any_length: True if a longer window is welcome at test time and gives
            T - num_frames + 1 frames (T frames for seq2seq).
        new_parts: Prefixes of parameters that a checkpoint to start training from may
            lack: parts that are trained after the rest.
        target_frames: Frames of truth, centred in the window, that ``forward_train``
            wants; None means the predicted frames.
        official: How the weights that its authors published fit it.
    """

    num_joints: int = 17
    num_frames: int = 1
    seq2seq: bool = False
    any_length: bool = False
    new_parts: tuple[str, ...] = ()
    target_frames: int | None = None
    official: ClassVar[OfficialWeights | None] = None

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T', J, 3)."""
        raise NotImplementedError

    def forward_train(
        self, keypoints_2d: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Lift in training; a network with losses of its own returns them here.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.
            target: (B, target_frames, J, 3), the truth.

        Returns:
            The prediction (B, T', J, 3), and further losses by name: those on
            intermediate or auxiliary outputs that ``forward`` does not return.
        """
        return self(keypoints_2d), {}

    def check_joints(self, keypoints_2d: Tensor) -> None:
        """Refuse an input of another number of joints than the network was built for.

        Args:
            keypoints_2d: (B, T, J, C).

        Raises:
            ValueError: the third of its four axes is not ``num_joints`` long.
        """
        if keypoints_2d.ndim != 4 or keypoints_2d.shape[2] != self.num_joints:
            raise ValueError(
                f'{type(self).__name__} was built for {self.num_joints} joints, got an '
                f'input of {tuple(keypoints_2d.shape)}: (batch, frames, joints, '
                'coordinates). Give the model the skeleton of the data'
            )
