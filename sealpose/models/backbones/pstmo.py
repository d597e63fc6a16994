"""P-STMO: a transformer over the window, then one that strides down to its centre.

W. Shan et al., P-STMO: pre-trained spatial temporal many-to-one model for 3D human pose
estimation, ECCV 2022. Original: https://github.com/paTRICK-swk/P-STMO (model/stmo.py),
whose output this module gives with the same weights. What differs: the masked
pre-training and the refinement are left out, the head on all frames runs in training
alone, and layers start from weights of their own rather than from copies of the same.
At test time the authors set the root of the prediction to zero; this module leaves it.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES

# The published strides of each window.
STRIDES = {9: (1, 3, 3), 27: (3, 3, 3), 81: (3,) * 4, 243: (3,) * 5, 351: (3, 9, 13)}


def _settings(state: StateDict) -> dict[str, Any]:
    num_frames, embed_dims = state['Transformer.pos_embedding'].shape[1:]
    layer = 'Transformer.model.layers.0.feed_forward.w_1.weight'
    depth = 1 + max(
        int(key.split('.')[3])
        for key in state
        if key.startswith('Transformer.model.layers.')
    )
    return dict(
        num_joints=state['encoder.fc_1.weight'].shape[1] // 2,
        num_frames=num_frames,
        embed_dims=embed_dims,
        ffn_dims=len(state[layer]),
        depth=depth,
    )


@BACKBONES.register_module()
class PSTMO(Backbone):
    """Encodes each frame, mixes the frames, and strides down to the centre frame.

    ``forward_train`` also predicts every frame of the window from the first
    transformer; the mean error of these poses is the further loss ``all_frames``.

    Args:
        num_joints: Joints J.
        num_frames: Frames T of the window.
        embed_dims: Width of the tokens.
        ffn_dims: Hidden channels of the feed-forward networks.
        depth: Layers of the first transformer: 3 for P-STMO-S, 4 for P-STMO.
        strides: Stride of each layer of the second one; a layer turns T frames into
            T / stride, rounded up, and the last must leave one. The published ones if
            None.
        num_heads: Attention heads; divides the width.
        dropout: Drop probability everywhere.

    Raises:
        ValueError: strides that do not lead from the window to one frame.
    """

    official = OfficialWeights(
        source='paTRICK-swk/P-STMO',
        renames=(
            (r'^encoder\.layers\.0\.(w|batch_norm)(\d)', r'encoder.\1\2'),
            (r'^Transformer_reduce\.model\.', 'strided.'),
            (r'^Transformer\.model\.', 'transformer.'),
            (r'^Transformer\.', 'transformer.'),
            (r'\.self_attn\.linears\.0', '.attn.q'),
            (r'\.self_attn\.linears\.1', '.attn.k'),
            (r'\.self_attn\.linears\.2', '.attn.v'),
            (r'\.self_attn\.linears\.3', '.attn.proj'),
            (r'\.sublayer\.0\.norm', '.norm1'),
            (r'\.sublayer\.1\.norm', '.norm2'),
            (r'\.feed_forward\.w_', '.ffn.fc'),
            (r'\.a_2$', '.weight'),
            (r'\.b_2$', '.bias'),
            (r'\.pos_embedding_(\d)$', r'.pos_embeddings.\1'),
            (r'^fcn_1\.', 'all_frames_head.'),
            (r'^fcn\.', 'head.'),
        ),
        settings=_settings,
        output_layers=('head.1', 'all_frames_head.1'),
    )

    def __init__(
        self,
        num_joints: int = 17,
        num_frames: int = 243,
        embed_dims: int = 256,
        ffn_dims: int = 512,
        depth: int = 3,
        strides: Sequence[int] | None = None,
        num_heads: int = 8,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        strides = _check_strides(num_frames, strides)
        self.num_joints = num_joints
        self.num_frames = num_frames
        self.target_frames = num_frames
        self.encoder = FrameEncoder(2 * num_joints, embed_dims, dropout)
        layer = dict(
            dim=embed_dims, ffn_dim=ffn_dims, num_heads=num_heads, dropout=dropout
        )
        self.transformer = Transformer(depth, num_frames, layer)
        self.strided = StridedTransformer(strides, num_frames, layer)
        self.head = _head(embed_dims, 3 * num_joints)
        self.all_frames_head = _head(embed_dims, 3 * num_joints)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift the centre of (B, T, J, 2) to (B, 1, J, 3)."""
        return self._predict(self.head, self.strided(self._encode(keypoints_2d)))

    def forward_train(
        self, keypoints_2d: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Lift the centre, with the error of all frames as a further loss.

        Args:
            keypoints_2d: (B, T, J, 2), screen-normalised.
            target: (B, T, J, 3), the truth of the whole window, metres.

        Returns:
            (B, 1, J, 3), and ``all_frames``: MPJPE over the window, metres.

        Raises:
            ValueError: the truth is not that of the whole window.
        """
        x = self._encode(keypoints_2d)
        poses = self._predict(self.all_frames_head, x)
        if target.shape != poses.shape:
            # It would be repeated along the window, and be the truth of one frame.
            raise ValueError(
                f'PSTMO learns from every frame of its window: it wants a truth of '
                f'{tuple(poses.shape)}, got {tuple(target.shape)}; set the '
                f'target_frames of the data set to {self.target_frames}'
            )
        error = torch.linalg.vector_norm(poses - target, dim=-1).mean()
        return self._predict(self.head, self.strided(x)), dict(all_frames=error)

    def _encode(self, keypoints_2d: Tensor) -> Tensor:
        self._check(keypoints_2d)
        frames = keypoints_2d.flatten(2).transpose(1, 2)
        # Contiguous: the norms and products to come run over the channels.
        return self.transformer(self.encoder(frames).transpose(1, 2).contiguous())

    def _predict(self, head: nn.Module, x: Tensor) -> Tensor:
        pose = head(x.transpose(1, 2)).transpose(1, 2)
        return pose.unflatten(-1, (self.num_joints, 3))

    def _check(self, keypoints_2d: Tensor) -> None:
        self.check_joints(keypoints_2d)
        if keypoints_2d.shape[1] != self.num_frames:
            raise ValueError(
                f'PSTMO was built for windows of {self.num_frames} frames, got '
                f'{keypoints_2d.shape[1]}; cut or pad the windows, or build it with '
                'another num_frames'
            )


class FrameEncoder(nn.Module):
    """Residual MLP on each frame, as convolutions over one frame."""

    def __init__(self, channels_in: int, embed_dims: int, dropout: float) -> None:
        super().__init__()
        hidden = 2 * embed_dims
        self.fc_1 = nn.Conv1d(channels_in, hidden, 1)
        self.bn_1 = nn.BatchNorm1d(hidden)
        self.w1 = nn.Conv1d(hidden, hidden, 1)
        self.batch_norm1 = nn.BatchNorm1d(hidden)
        self.w2 = nn.Conv1d(hidden, hidden, 1)
        self.batch_norm2 = nn.BatchNorm1d(hidden)
        self.fc_2 = nn.Conv1d(hidden, embed_dims, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 2 J, T) to (B, C, T)."""
        x = self._activate(self.bn_1(self.fc_1(x)))
        y = self._activate(self.batch_norm1(self.w1(x)))
        y = self._activate(self.batch_norm2(self.w2(y)))
        return self.fc_2(x + y)

    def _activate(self, x: Tensor) -> Tensor:
        return self.dropout(F.leaky_relu(x, 0.2, inplace=True))


class Transformer(nn.Module):
    """Pre-norm transformer over all frames of the window."""

    def __init__(self, depth: int, num_frames: int, layer: dict) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.randn(1, num_frames, layer['dim']))
        self.layers = nn.ModuleList(Layer(**layer) for _ in range(depth))
        self.norm = _unused_norm(layer['dim'])

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to the same shape."""
        x = x + self.pos_embedding
        for layer in self.layers:
            x = layer(x)
        return x


class StridedTransformer(nn.Module):
    """Transformer whose layers keep every stride-th frame, down to one."""

    def __init__(self, strides: Sequence[int], num_frames: int, layer: dict) -> None:
        super().__init__()
        # For the first three layers, counted from 1; each is as long as the window.
        self.pos_embeddings = nn.ParameterDict(
            (str(i), nn.Parameter(torch.randn(1, num_frames, layer['dim'])))
            for i, _ in enumerate(strides[:3], start=1)
        )
        self.layers = nn.ModuleList(Layer(**layer, stride=s) for s in strides)
        self.norm = _unused_norm(layer['dim'])

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to (B, 1, C)."""
        tables = list(self.pos_embeddings.values())
        for i, layer in enumerate(self.layers):
            if i < len(tables):
                x = x + tables[i][:, : x.shape[1]]
            x = layer(x)
        return x


class Layer(nn.Module):
    """Attention and feed-forward network, each behind a norm and inside a residual.

    Args:
        dim: Channels C.
        ffn_dim: Hidden channels of the feed-forward network.
        num_heads: Attention heads.
        dropout: Drop probability.
        stride: Keep every stride-th frame; the feed-forward network then sees three
            neighbouring frames. None: a plain layer.
    """

    def __init__(
        self,
        dim: int,
        ffn_dim: int,
        num_heads: int,
        dropout: float,
        stride: int | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = UnbiasedLayerNorm(dim)
        self.attn = WindowAttention(dim, num_heads, dropout)
        self.norm2 = UnbiasedLayerNorm(dim)
        self.stride = stride or 1
        self.ffn: nn.Module = (
            FeedForward(dim, ffn_dim, dropout)
            if stride is None
            else StridedFeedForward(dim, ffn_dim, dropout, stride)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T / stride, C)."""
        x = x + self.dropout(self.attn(self.norm1(x)))
        kept = x[:, :: self.stride]
        return kept + self.dropout(self.ffn(self.norm2(x)))


class UnbiasedLayerNorm(nn.Module):
    """Layer norm by the unbiased deviation, with eps added to it, not to the variance.

    ``(x - mean) / (std + eps) * weight + bias``.
    """

    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        x = x - x.mean(-1, keepdim=True)
        # Much faster than torch.std, which walks the channels one by one on the CPU.
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        std = norm * (x.shape[-1] - 1) ** -0.5
        return torch.addcmul(self.bias, x / (std + self.eps), self.weight)


class WindowAttention(nn.Module):
    """Multi-head self-attention with dropout on its weights."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.drop = dropout
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Let the T tokens of ``x`` (B, T, C) attend to each other."""
        q, k, v = (
            linear(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for linear in (self.q, self.k, self.v)
        )
        if self.training and self.drop and x.device.type == 'cpu':
            # No fused kernel drops weights on the CPU, and what replaces it there
            # takes more passes over the weights than these lines.
            scores = q @ (k * k.shape[-1] ** -0.5).transpose(-2, -1)
            y = F.dropout(scores.softmax(-1), self.drop) @ v
        else:
            drop = self.drop if self.training else 0.0
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=drop)
        return self.proj(y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between."""

    def __init__(self, dim: int, ffn_dim: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, ffn_dim)
        self.fc2 = nn.Linear(ffn_dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to the same shape."""
        return self.fc2(self.dropout(F.relu_(self.fc1(x))))


class StridedFeedForward(nn.Module):
    """A feed-forward network that sees three frames and keeps every stride-th."""

    def __init__(self, dim: int, ffn_dim: int, dropout: float, stride: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv1d(dim, ffn_dim, 1)
        self.fc2 = nn.Conv1d(ffn_dim, dim, 3, stride=stride, padding=1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T / stride, C)."""
        hidden = self.dropout(F.relu_(self.fc1(x.transpose(1, 2))))
        return self.fc2(hidden).transpose(1, 2).contiguous()


def _unused_norm(dim: int) -> UnbiasedLayerNorm:
    """Return the norm that the published network has and never uses."""
    return UnbiasedLayerNorm(dim).requires_grad_(False)


def _head(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(channels_in), nn.Conv1d(channels_in, channels_out, 1)
    )


def _check_strides(num_frames: int, strides: Sequence[int] | None) -> tuple[int, ...]:
    strides = STRIDES.get(num_frames) if strides is None else tuple(strides)
    if strides is None:
        raise ValueError(
            f'PSTMO has no published strides for {num_frames} frames, only for '
            f'{", ".join(map(str, STRIDES))}; give `strides` whose product is the '
            'window'
        )
    frames = num_frames
    for stride in strides:
        frames = -(-frames // stride)
    if frames != 1:
        raise ValueError(
            f'PSTMO: the strides {strides} leave {frames} of {num_frames} frames, but '
            'must leave one; give strides whose product is at least the window'
        )
    return strides
