"""Networks that were written for another toolkit or for none, used as they are."""

from collections.abc import Sequence
from typing import Any

from einops import rearrange
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.registry import BACKBONES

OUR_AXES = 'b t j c'


@BACKBONES.register_module()
class ForeignBackbone(Backbone):
    """Any ``nn.Module`` as a backbone, by the order of its axes.

    The axes are named b (batch), t (frames), j (joints) and c (coordinates), in the
    notation of einops: a temporal convolution over flattened joints takes
    ``b (j c) t``, P-STMO takes ``b c t j 1``.

    Args:
        network: Config of the network. ``type`` is the name in another mmengine library
            (``mmpose.TCN``) or an import path (``package.module.Class``); what else it
            holds are the network's arguments.
        num_frames: Frames T of its window.
        seq2seq: It predicts every frame of the window, not the centre one alone.
        input_axes: Order of the axes that it takes.
        output_axes: Order of the axes that it returns: those of a pose in metres, or,
            with ``features``, of features such as ``b d t``.
        output: Which output, where it returns several: a position or a key.
        features: Width d of its output, where that is features rather than a pose; a
            linear layer then predicts the joints.
        any_length: Longer windows are welcome at test time.
        num_joints: Joints J.

    Raises:
        TypeError: ``type`` names no ``nn.Module``.
    """

    def __init__(
        self,
        network: dict,
        num_frames: int,
        seq2seq: bool,
        input_axes: str = OUR_AXES,
        output_axes: str = OUR_AXES,
        output: int | str | None = None,
        features: int | None = None,
        any_length: bool = False,
        num_joints: int = 17,
    ) -> None:
        super().__init__()
        self.network = BACKBONES.build(network)
        if not isinstance(self.network, nn.Module):
            raise TypeError(
                f'ForeignBackbone: {network["type"]} made a '
                f'{type(self.network).__name__}, not an nn.Module'
            )
        self.num_frames = num_frames
        self.seq2seq = seq2seq
        self.any_length = any_length
        self.num_joints = num_joints
        self.input_axes = input_axes
        self.output_axes = output_axes
        self.output = output
        self.head = nn.Linear(features, num_joints * 3) if features else None

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T', J, 3)."""
        x = rearrange(keypoints_2d, f'{OUR_AXES} -> {self.input_axes}')
        y = self._select(self.network(x))
        if self.head is None:
            return rearrange(
                y, f'{self.output_axes} -> {OUR_AXES}', j=self.num_joints, c=3
            )
        y = self.head(rearrange(y, f'{self.output_axes} -> b t d'))
        return y.unflatten(-1, (self.num_joints, 3))

    def _select(self, outputs: Any) -> Tensor:
        if self.output is not None:
            return outputs[self.output]
        if isinstance(outputs, Tensor):
            return outputs
        described = (
            f'a {type(outputs).__name__} of {len(outputs)}'
            if isinstance(outputs, Sequence)
            else f'a {type(outputs).__name__}'
        )
        raise ValueError(
            f'{type(self.network).__name__} returned {described}, not a tensor; say '
            'with `output` which one is the prediction, e.g. output=-1'
        )
