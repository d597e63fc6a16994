"""MixSTE: transformer blocks over the joints and over the frames in turn.

J. Zhang et al., MixSTE: seq2seq mixed spatio-temporal encoder for 3D human pose
estimation in video, CVPR 2022. Original: https://github.com/JinluZhang1126/MixSTE
(class MixSTE2), whose output this module gives with the same weights. What differs:
parameters have names in lower case, attention runs in one fused kernel, and a window of
another length is refused.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import TransformerBlock, drop_path_rates
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    _, num_joints, embed_dims = state['Spatial_pos_embed'].shape
    return dict(
        num_joints=num_joints,
        num_frames=state['Temporal_pos_embed'].shape[1],
        embed_dims=embed_dims,
        depth=count_blocks(state, 'STEblocks'),
    )


def count_blocks(state: StateDict, name: str) -> int:
    """Count the blocks that a state dict holds of a module list.

    Args:
        state: The state dict.
        name: Name of the list.
    """
    keys = (key.split('.') for key in state)
    return 1 + max((int(key[1]) for key in keys if key[0] == name), default=-1)


@BACKBONES.register_module()
class MixSTE(Backbone):
    """Attention between joints and between frames in turn; predicts every frame.

    Each joint of each frame is a token. A spatial block lets the joints of a frame
    attend to each other, a temporal block the frames of a joint. The spatial blocks
    share the layer norm that follows each of them, and so do the temporal ones.

    Args:
        num_joints: Joints J.
        num_frames: Frames T of the window.
        embed_dims: Width C of the tokens.
        depth: Pairs of a spatial and a temporal block.
        num_heads: Attention heads; divides the width.
        mlp_ratio: Hidden channels of the MLPs per channel.
        drop_path: Drop probability of the residual branches in the last pair; it grows
            linearly from 0 in the first.
    """

    seq2seq = True
    official = OfficialWeights(
        source='JinluZhang1126/MixSTE',
        renames=(
            (r'^Spatial_patch_to_embedding\.', 'embedding.'),
            (r'^Spatial_', 'spatial_'),
            (r'^Temporal_', 'temporal_'),
            (r'^STEblocks\.', 'spatial_blocks.'),
            (r'^TTEblocks\.', 'temporal_blocks.'),
        ),
        settings=_settings,
        output_layers=('head.1',),
    )

    def __init__(
        self,
        num_joints: int = 17,
        num_frames: int = 243,
        embed_dims: int = 512,
        depth: int = 8,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.num_frames = num_frames
        self.embedding: nn.Module = nn.Linear(2, embed_dims)
        self.spatial_pos_embed = nn.Parameter(torch.zeros(1, num_joints, embed_dims))
        self.temporal_pos_embed = nn.Parameter(torch.zeros(1, num_frames, embed_dims))
        self.spatial_blocks, self.temporal_blocks = (
            nn.ModuleList(
                TransformerBlock(embed_dims, num_heads, mlp_ratio, rate)
                for rate in drop_path_rates(drop_path, depth)
            )
            for _ in range(2)
        )
        self.spatial_norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.temporal_norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(embed_dims), nn.Linear(embed_dims, 3))

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3)."""
        self._check(keypoints_2d)
        x = self._embed_joints(keypoints_2d.flatten(0, 1))
        pairs = zip(self.spatial_blocks, self.temporal_blocks, strict=True)
        for i, (spatial, temporal) in enumerate(pairs):
            x = _swap_axes(self.spatial_norm(spatial(x)), self.num_frames)
            if i == 0:
                x = self._embed_frames(x)
            x = _swap_axes(self.temporal_norm(temporal(x)), self.num_joints)
        return self.head(x).unflatten(0, keypoints_2d.shape[:2])

    def _embed_joints(self, keypoints_2d: Tensor) -> Tensor:
        """Turn (B * T, J, 2) into tokens (B * T, J, C)."""
        return self.embedding(keypoints_2d) + self.spatial_pos_embed

    def _embed_frames(self, x: Tensor) -> Tensor:
        """Tell the tokens ``x`` (B * J, T, C) which frames they are."""
        return x + self.temporal_pos_embed

    def _check(self, keypoints_2d: Tensor) -> None:
        given, expected = keypoints_2d.shape[1:], (self.num_frames, self.num_joints, 2)
        if given != expected:
            raise ValueError(
                f'{type(self).__name__} was built for windows of (frames, joints, '
                f'channels) = {expected}, got {tuple(given)}; cut or pad the windows, '
                'or build it with other num_frames or joints'
            )


def _swap_axes(x: Tensor, size: int) -> Tensor:
    """Turn (B * size, N, C) into (B * N, size, C)."""
    return x.unflatten(0, (-1, size)).transpose(1, 2).flatten(0, 1)
