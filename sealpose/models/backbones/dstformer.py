"""DSTformer: two streams of attention, space first and time first, fused by position.

W. Zhu et al., MotionBERT: a unified perspective on learning human motion
representations, ICCV 2023. Original: https://github.com/Walter0807/MotionBERT, whose
numbers this module gives with the same weights. What differs: without confidences every
keypoint counts as certain, tokens stay in the order (frame, joint) so that nothing is
transposed for temporal attention, and attention runs in one fused kernel.
"""

from collections.abc import Iterable
from itertools import count
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import MLP, Attention
from sealpose.registry import BACKBONES


def _settings(state: StateDict) -> dict[str, Any]:
    _, num_joints, embed_dims = state['pos_embed'].shape
    max_frames = state['temp_embed'].shape[1]
    return dict(
        num_joints=num_joints,
        num_frames=max_frames,
        max_frames=max_frames,
        embed_dims=embed_dims,
        depth=next(i for i in count() if f'ts_attn.{i}.weight' not in state),
        mlp_ratio=len(state['blocks_st.0.mlp_s.fc1.bias']) / embed_dims,
    )


@BACKBONES.register_module()
class DSTformer(Backbone):
    """Predicts every frame of its window from two streams of attention.

    A layer sends the tokens (B, T, J, C), one for each joint of each frame, through two
    streams: one attends between joints and then between frames, the other in the
    reverse order. A weight per token mixes the results.

    The lite model has ``embed_dims=256`` and ``mlp_ratio=4``.

    Args:
        num_joints: Joints J.
        num_frames: Frames T of the window in training and evaluation; ``forward`` takes
            any number up to ``max_frames``.
        max_frames: Frames that the table of temporal positions has room for.
        embed_dims: Width C of the tokens.
        depth: Layers.
        num_heads: Attention heads; the shapes of weights do not tell it.
        mlp_ratio: Hidden channels of the MLPs per channel.

    Raises:
        ValueError: ``num_frames`` exceeds ``max_frames``.
    """

    seq2seq = True
    official = OfficialWeights(
        source='Walter0807/MotionBERT',
        renames=(
            (r'^joints_embed\.', 'embedding.'),
            (r'^pos_embed$', 'spatial_pos_embed'),
            (r'^temp_embed$', 'temporal_pos_embed'),
            (
                r'^blocks_(st|ts)\.(\d+)\.(\w+)_([st])\.',
                r'layers.\2.\1.\4.\3.',
            ),
            (r'^ts_attn\.(\d+)\.', r'layers.\1.fusion.'),
            (r'^pre_logits\.fc\.', 'representation.'),
        ),
        settings=_settings,
        output_layers=('head',),
    )

    def __init__(
        self,
        num_joints: int = 17,
        num_frames: int = 243,
        max_frames: int = 243,
        embed_dims: int = 512,
        depth: int = 5,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
    ) -> None:
        super().__init__()
        if num_frames > max_frames:
            raise ValueError(
                f'num_frames={num_frames} exceeds max_frames={max_frames}, the frames '
                'that have a temporal position; raise max_frames too'
            )
        self.num_joints = num_joints
        self.num_frames = num_frames
        self.embedding = nn.Linear(3, embed_dims)
        self.spatial_pos_embed = nn.Parameter(torch.empty(1, num_joints, embed_dims))
        self.temporal_pos_embed = nn.Parameter(
            torch.empty(1, max_frames, 1, embed_dims)
        )
        self.layers = nn.Sequential(
            *(_Layer(embed_dims, num_heads, mlp_ratio) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.representation = nn.Linear(embed_dims, 512)
        self.head = nn.Linear(512, 3)
        self._init_weights()

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear) and not isinstance(module, Fusion):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.spatial_pos_embed, std=0.02)
        nn.init.trunc_normal_(self.temporal_pos_embed, std=0.02)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2 or 3) to (B, T, J, 3); the third value is the confidence.

        Raises:
            ValueError: more than ``max_frames`` frames, or not J joints.
        """
        self.check_joints(keypoints_2d)
        frames = keypoints_2d.shape[1]
        max_frames = self.temporal_pos_embed.shape[1]
        if frames > max_frames:
            raise ValueError(
                f'DSTformer got a window of {frames} frames but has temporal positions '
                f'for max_frames={max_frames}; cut the sequence into windows or build '
                'the network with more max_frames'
            )
        x = self.embedding(with_confidence(keypoints_2d))
        x = x + (self.spatial_pos_embed + self.temporal_pos_embed[:, :frames])
        x = self.norm(self.layers(x))
        return self.head(torch.tanh(self.representation(x)))


def with_confidence(keypoints_2d: Tensor) -> Tensor:
    """Return (..., 3) keypoints with confidence; of 1 where (..., 2) come without."""
    if keypoints_2d.shape[-1] == 3:
        return keypoints_2d
    return F.pad(keypoints_2d, (0, 1), value=1.0)


class _Layer(nn.Module):
    """Both streams of one layer and their fusion."""

    def __init__(self, dim: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.st = _Stream('st', dim, num_heads, mlp_ratio)
        self.ts = _Stream('ts', dim, num_heads, mlp_ratio)
        self.fusion = Fusion(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fusion(self.st(x), self.ts(x))


class _Stream(nn.Module):
    """A spatial (s) and a temporal (t) transformer block in the order given."""

    def __init__(self, order: str, dim: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        attentions = dict(s=SpatialAttention, t=TemporalAttention)
        for kind in order:
            block = _Block(attentions[kind](dim, num_heads), dim, mlp_ratio)
            self.add_module(kind, block)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.children():
            x = block(x)
        return x


class _Block(nn.Module):
    """Attention and MLP, each behind a layer norm and inside a residual."""

    def __init__(self, attention: Attention, dim: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = attention
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _TokenAttention(Attention):
    """Self-attention along one axis of tokens (B, T, J, C); arguments as its base."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, J, C) to the same shape."""
        q, k, v = (part.transpose(1, 2) for part in self.project(x))
        mixed = attend(q, k, v, self.attn_drop if self.training else 0.0)
        return self.proj_drop(self.proj(mixed.transpose(1, 2).reshape(x.shape)))

    def project(self, x: Tensor) -> Iterable[Tensor]:
        """Return queries, keys and values (batch, tokens, heads, channels)."""
        raise NotImplementedError


class SpatialAttention(_TokenAttention):
    """Self-attention between the joints of each frame; arguments as ``Attention``."""

    def project(self, x: Tensor) -> Iterable[Tensor]:
        """Return queries, keys and values (B T, J, heads, channels)."""
        parts = self.qkv(x).flatten(0, 1).chunk(3, dim=-1)
        return (part.unflatten(-1, (self.num_heads, -1)) for part in parts)


class TemporalAttention(_TokenAttention):
    """Self-attention between the frames of each joint; arguments as ``Attention``."""

    def project(self, x: Tensor) -> Iterable[Tensor]:
        """Return queries, keys and values (B, T, J heads, channels).

        They are tensors of their own, not slices of one: then (joint, head) is a single
        axis of heads, and frames attend to each other where they lie in memory.
        """
        heads = x.shape[2] * self.num_heads
        weights = self.qkv.weight.chunk(3)
        biases = (None,) * 3 if self.qkv.bias is None else self.qkv.bias.chunk(3)
        return (
            F.linear(x, weight, bias).flatten(2).unflatten(-1, (heads, -1))
            for weight, bias in zip(weights, biases, strict=True)
        )


def attend(q: Tensor, k: Tensor, v: Tensor, dropout: float = 0.0) -> Tensor:
    """Scaled dot-product attention.

    Args:
        q: Queries (B, heads, tokens, channels).
        k: Keys, the same shape.
        v: Values, the same shape.
        dropout: Drop probability of the attention weights.
    """
    if q.device.type == 'cpu' and q.shape[2] < 32 and not dropout:
        # Where the fused kernel spends its time on calls, one small product a head.
        weights = torch.softmax((q * q.shape[-1] ** -0.5) @ k.mT, dim=-1)
        return weights @ v
    return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)


class Fusion(nn.Linear):
    """Convex combination of two streams with weights computed for every token.

    It starts as the mean.

    Args:
        dim: Channels C of the streams.
    """

    def __init__(self, dim: int) -> None:
        super().__init__(2 * dim, 2)
        nn.init.zeros_(self.weight)
        nn.init.constant_(self.bias, 0.5)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Combine ``a`` and ``b`` (..., C)."""
        # A softmax of two is a sigmoid of the difference of their logits.
        weight, bias = self.weight[:1] - self.weight[1:], self.bias[:1] - self.bias[1:]
        weight_a, weight_b = weight.chunk(2, dim=1)
        share = torch.sigmoid(F.linear(a, weight_a, bias) + F.linear(b, weight_b))
        return torch.lerp(b, a, share.to(a.dtype))
