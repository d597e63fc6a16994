"""PoseFormerV2: a transformer over central frames and low frequencies of the window.

Q. Zhao et al., PoseFormerV2: exploring frequency domain for efficient and robust 3D
human pose estimation, CVPR 2023. Original: https://github.com/QitaoZhao/PoseFormerV2
(class PoseTransformerV2), whose output this module gives with the same weights. What
differs: parameters have names in lower case, cosine transforms are products with
matrices that are built once, attention runs in one fused kernel.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.mixste import count_blocks
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import (
    MLP,
    Attention,
    DropPath,
    TransformerBlock,
    drop_path_rates,
)
from sealpose.registry import BACKBONES

# The published window of each number of kept frames and of coefficients.
PUBLISHED_FRAMES = {(1, 3): 27, (3, 3): 27, (9, 9): 81, (27, 27): 243}


def _settings(state: StateDict) -> dict[str, Any]:
    _, num_joints, joint_dims = state['Spatial_pos_embed'].shape
    kept_frames = state['Temporal_pos_embed'].shape[1]
    kept_coefficients = state['Temporal_pos_embed_'].shape[1]
    published = PUBLISHED_FRAMES.get((kept_frames, kept_coefficients))
    return dict(
        num_joints=num_joints,
        joint_dims=joint_dims,
        kept_frames=kept_frames,
        kept_coefficients=kept_coefficients,
        depth=count_blocks(state, 'blocks'),
        **({'num_frames': published} if published else {}),
    )


@BACKBONES.register_module()
class PoseFormerV2(Backbone):
    """Attention over a few central frames and the low frequencies of a long window.

    The kept frames become tokens through a transformer over their joints, the kept
    coefficients of a cosine transform of the whole window through a linear layer. In
    the blocks on both, the first half of the tokens goes through an MLP, the second
    through an MLP between a cosine transform along the tokens and its inverse. The
    length of the window leaves no trace in the weights: an importer must be told
    ``num_frames`` where it is not 27 (1/3, 3/3), 81 (9/9) or 243 (27/27).

    Args:
        num_joints: Joints J.
        num_frames: Frames T of the window.
        kept_frames: Central frames that become tokens, odd.
        kept_coefficients: Low-frequency coefficients that become tokens.
        joint_dims: Channels of a joint; a frame's token has J times as many.
        depth: Blocks over the joints, and as many over the tokens.
        num_heads: Attention heads.
        mlp_ratio: Hidden channels of the MLPs per channel.
        drop_path: Drop probability of the residual branches in the last block; it
            grows linearly from 0 in the first.

    Raises:
        ValueError: more frames or coefficients are kept than there are, or an even
            number of frames.
    """

    official = OfficialWeights(
        source='QitaoZhao/PoseFormerV2',
        renames=(
            (r'^Joint_embedding', 'joint_embedding'),
            (r'^Freq_embedding', 'frequency_embedding'),
            (r'^Spatial_', 'spatial_'),
            (r'^Temporal_norm', 'norm'),
            (r'^Temporal_pos_embed_$', 'coefficient_pos_embed'),
            (r'^Temporal_pos_embed$', 'frame_pos_embed'),
            (r'^weighted_mean_\.', 'frame_mean.'),
            (r'^weighted_mean\.', 'coefficient_mean.'),
        ),
        settings=_settings,
        output_layers=('head.1',),
    )

    def __init__(
        self,
        num_joints: int = 17,
        num_frames: int = 81,
        kept_frames: int = 9,
        kept_coefficients: int = 9,
        joint_dims: int = 32,
        depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        _check_kept(num_frames, kept_frames, kept_coefficients)
        self.num_joints = num_joints
        self.num_frames = num_frames
        self.kept_frames = kept_frames
        self.kept_coefficients = kept_coefficients
        dim = num_joints * joint_dims
        rates = drop_path_rates(drop_path, depth)
        self.joint_embedding = nn.Linear(2, joint_dims)
        self.frequency_embedding = nn.Linear(2 * num_joints, dim)
        self.spatial_pos_embed = nn.Parameter(torch.zeros(1, num_joints, joint_dims))
        self.frame_pos_embed = nn.Parameter(torch.zeros(1, kept_frames, dim))
        self.coefficient_pos_embed = nn.Parameter(
            torch.zeros(1, kept_coefficients, dim)
        )
        self.spatial_blocks = nn.ModuleList(
            TransformerBlock(joint_dims, num_heads, mlp_ratio, rate) for rate in rates
        )
        tokens = kept_frames + kept_coefficients
        self.blocks = nn.ModuleList(
            MixedBlock(dim, tokens, num_heads, mlp_ratio, rate) for rate in rates
        )
        self.spatial_norm = nn.LayerNorm(joint_dims, eps=1e-6)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.coefficient_mean = nn.Conv1d(kept_coefficients, 1, 1)
        self.frame_mean = nn.Conv1d(kept_frames, 1, 1)
        self.head = nn.Sequential(
            nn.LayerNorm(2 * dim), nn.Linear(2 * dim, 3 * num_joints)
        )
        low = dct_matrix(num_frames)[:kept_coefficients]
        self.register_buffer(
            'low_frequencies', low.to(torch.get_default_dtype()), persistent=False
        )

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift the centre of (B, T, J, 2) to (B, 1, J, 3)."""
        self._check(keypoints_2d)
        x = torch.cat([self._frequencies(keypoints_2d), self._frames(keypoints_2d)], 1)
        for block in self.blocks:
            x = block(x)
        coefficients, frames = self.norm(x).split(
            [self.kept_coefficients, self.kept_frames], 1
        )
        pooled = torch.cat(
            [self.coefficient_mean(coefficients), self.frame_mean(frames)], -1
        )
        return self.head(pooled).unflatten(-1, (self.num_joints, 3))

    def _frames(self, keypoints_2d: Tensor) -> Tensor:
        """Turn the central frames into tokens (B, kept_frames, J * joint_dims)."""
        first = (self.num_frames - 1) // 2 - self.kept_frames // 2
        central = keypoints_2d[:, first : first + self.kept_frames]
        x = self.joint_embedding(central.flatten(0, 1)) + self.spatial_pos_embed
        for block in self.spatial_blocks:
            x = block(x)
        x = self.spatial_norm(x).flatten(1).unflatten(0, (-1, self.kept_frames))
        return x + self.frame_pos_embed

    def _frequencies(self, keypoints_2d: Tensor) -> Tensor:
        """Turn the low frequencies into tokens (B, kept_coefficients, ...)."""
        low = self.low_frequencies @ keypoints_2d.flatten(2)
        return self.frequency_embedding(low) + self.coefficient_pos_embed

    def _check(self, keypoints_2d: Tensor) -> None:
        self.check_joints(keypoints_2d)
        if keypoints_2d.shape[1] != self.num_frames:
            raise ValueError(
                f'PoseFormerV2 was built for windows of {self.num_frames} frames, got '
                f'{keypoints_2d.shape[1]}; cut or pad the windows, or build it with '
                'another num_frames'
            )


class MixedBlock(nn.Module):
    """Attention over all tokens, then an MLP in time and one in frequency.

    Args:
        dim: Channels C.
        tokens: Tokens N; the first N // 2 take the MLP in time.
        num_heads: Attention heads.
        mlp_ratio: Hidden channels of the MLPs per channel.
        drop_path: Drop probability of each residual branch.
    """

    def __init__(
        self, dim: int, tokens: int, num_heads: int, mlp_ratio: float, drop_path: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp1 = MLP(dim, int(dim * mlp_ratio))
        self.norm3 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp2 = MLP(dim, int(dim * mlp_ratio))
        self.drop_path = DropPath(drop_path)
        self.split = [tokens // 2, tokens - tokens // 2]
        forward = dct_matrix(self.split[1])
        inverse = torch.linalg.inv(forward)
        dtype = torch.get_default_dtype()
        self.register_buffer('transform', forward.to(dtype), persistent=False)
        self.register_buffer('inverse', inverse.to(dtype), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map the tokens ``x`` (B, N, C) to the same shape."""
        x = self.drop_path.add(x, self.attn(self.norm1(x)))
        time, frequency = x.split(self.split, 1)
        time = self.drop_path.add(time, self.mlp1(self.norm2(time)))
        spectrum = self.transform @ self.norm3(frequency)
        change = self.inverse @ self.mlp2(spectrum)
        return torch.cat([time, self.drop_path.add(frequency, change)], 1)


def dct_matrix(size: int) -> Tensor:
    """Matrix of the cosine transform DCT-II without normalisation.

    ``X[k] = 2 sum_n x[n] cos(pi k (2n + 1) / (2 size))``.

    Args:
        size: Length of what is transformed.

    Returns:
        (size, size), in double precision.
    """
    k = torch.arange(size, dtype=torch.float64)[:, None]
    n = torch.arange(size, dtype=torch.float64)
    return 2 * torch.cos(math.pi * k * (2 * n + 1) / (2 * size))


def _check_kept(num_frames: int, kept_frames: int, kept_coefficients: int) -> None:
    if kept_frames % 2 == 0 or not 1 <= kept_frames <= num_frames:
        raise ValueError(
            f'kept_frames must be odd and at most num_frames={num_frames}, got '
            f'{kept_frames}'
        )
    if not 1 <= kept_coefficients <= num_frames:
        raise ValueError(
            f'kept_coefficients must lie between 1 and num_frames={num_frames}, got '
            f'{kept_coefficients}'
        )
