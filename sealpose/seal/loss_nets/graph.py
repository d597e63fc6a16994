"""The default loss-net: a small transformer over the joints, biased by the skeleton.

SEAL-pose, arXiv 2602.20051. Compared with the published code the attention of a joint
to itself is not penalised as a missing edge, the bias is built once per forward instead
of once per sample, and the last block computes the virtual node alone.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.registry import LOSS_NETS
from sealpose.seal.loss_nets.base import FUSIONS, LossNet, check_choice
from sealpose.skeletons import Skeleton

if hasattr(torch.compiler, 'is_compiling'):
    is_compiling = torch.compiler.is_compiling
else:  # before torch 2.3
    is_compiling = torch._utils.is_compiling
# Poses at a time on a CPU: what a layer hands to the next is then still in the cache.
CACHED_POSES = 64


class GraphBias(nn.Module):
    """Additive attention bias from the graph of the skeleton.

    A sum of fixed patterns over pairs of tokens, each with one learned weight that all
    heads and blocks share. Token 0 is the virtual node, token 1 + j is joint j.

    ========== ====================================================== =======
    weight     pattern                                                initial
    ========== ====================================================== =======
    hops       minus the hops between two joints                      0.8
    edge       1 where a segment joins two joints                     0
    no_edge    1 where none does, the diagonal excepted               -2
    degree     (degree of i + degree of j) / largest degree           0.2
    from_node  1 where the virtual node attends to a joint            0
    to_node    1 where a joint attends to the virtual node            0
    self       1 where the virtual node attends to itself             0
    ========== ====================================================== =======

    Args:
        skeleton: Gives the graph.
    """

    INITIAL: ClassVar[dict[str, float]] = {
        'hops': 0.8,
        'edge': 0.0,
        'no_edge': -2.0,
        'degree': 0.2,
        'from_node': 0.0,
        'to_node': 0.0,
        'self': 0.0,
    }

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(list(self.INITIAL.values())))
        # Derived from the skeleton, so a checkpoint need not carry it.
        self.register_buffer('patterns', _patterns(skeleton), persistent=False)

    def forward(self) -> Tensor:
        """Return the bias (1, 1, 1 + J, 1 + J): query token by key token."""
        return (self.weights[:, None, None] * self.patterns).sum(0)[None, None]


def _patterns(skeleton: Skeleton) -> Tensor:
    hops = torch.from_numpy(skeleton.hop_distances).float()
    edge = (hops == 1).float()
    degree = edge.sum(0)
    patterns = torch.zeros(len(GraphBias.INITIAL), *(n + 1 for n in hops.shape))
    patterns[0, 1:, 1:] = -hops
    patterns[1, 1:, 1:] = edge
    patterns[2, 1:, 1:] = (hops > 1).float()
    patterns[3, 1:, 1:] = (degree[:, None] + degree) / degree.max()
    patterns[4, 0, 1:] = 1
    patterns[5, 1:, 0] = 1
    patterns[6, 0, 0] = 1
    return patterns


class GraphBlock(nn.Module):
    """Pre-norm transformer block whose attention takes an additive bias.

    Args:
        embed_dims: Width of a token.
        num_heads: Attention heads; they share the bias.
        mlp_ratio: Width of the MLP over the width of a token.
        dropout: Of the attention weights and of both residual branches.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, mlp_ratio: float, dropout: float
    ) -> None:
        super().__init__()
        hidden = int(embed_dims * mlp_ratio)
        self.num_heads = num_heads
        self.norm1 = nn.LayerNorm(embed_dims)
        self.query = nn.Linear(embed_dims, embed_dims)
        self.key = nn.Linear(embed_dims, embed_dims)
        self.value = nn.Linear(embed_dims, embed_dims)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, hidden), nn.GELU(), nn.Linear(hidden, embed_dims)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Return the tokens of the block's output.

        Args:
            tokens: (N, L, D).
            bias: (1, 1, L, L), added to the attention scores.
        """
        tokens = tokens + self.dropout(self._attend(self.norm1(tokens), bias))
        return tokens + self.dropout(self.mlp(self.norm2(tokens)))

    def first(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Return the first token (N, D) of the block's output alone, exactly.

        Args:
            tokens: (N, L, D).
            bias: (1, 1, L, L), added to the attention scores.
        """
        attended = self._attend_first(self.norm1(tokens), bias)
        token = tokens[:, 0] + self.dropout(attended)
        return token + self.dropout(self.mlp(self.norm2(token)))

    def _attend(self, tokens: Tensor, bias: Tensor) -> Tensor:
        # One product in place of three: faster, and one gradient to the tokens.
        layers = self.query, self.key, self.value
        weight = torch.cat([layer.weight for layer in layers])
        joined = F.linear(tokens, weight, torch.cat([layer.bias for layer in layers]))
        query, key, value = joined.unflatten(-1, (3, self.num_heads, -1)).permute(
            2, 0, 3, 1, 4
        )
        attended = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=bias.to(query.dtype),
            dropout_p=self.dropout.p if self.training else 0.0,
        )
        return self.proj(attended.transpose(1, 2).flatten(2))

    def _attend_first(self, tokens: Tensor, bias: Tensor) -> Tensor:
        # A single query: taken through the key's matrix once it meets the tokens as
        # they are, and so does the value's matrix their weighted sum. No product with
        # all tokens is left that is as wide as they are.
        query = self._split_heads(self.query(tokens[:, 0]))
        probe = torch.einsum('nhd,hdc->nhc', query, self._split_rows(self.key.weight))
        scores = probe @ tokens.transpose(1, 2)
        offset = (query * self._split_heads(self.key.bias)).sum(-1, keepdim=True)
        scores = (scores + offset) * query.shape[-1] ** -0.5 + bias[0, :, 0]
        weights = F.dropout(scores.softmax(-1), self.dropout.p, self.training)
        mixed = torch.einsum(
            'nhc,hdc->nhd', weights @ tokens, self._split_rows(self.value.weight)
        )
        shift = weights.sum(-1, keepdim=True) * self._split_heads(self.value.bias)
        return self.proj((mixed + shift).flatten(1))

    def _split_heads(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.num_heads, -1))

    def _split_rows(self, weight: Tensor) -> Tensor:
        return weight.unflatten(0, (self.num_heads, -1))


class GraphEncoder(nn.Module):
    """From the values at the joints to a vector at the virtual node.

    Args:
        skeleton: Gives the graph.
        in_dims: Values per joint.
        embed_dims: Width of a token.
        num_heads: Attention heads.
        depth: Number of blocks.
        mlp_ratio: Width of a block's MLP over the width of a token.
        dropout: Within the blocks, in training.
        joint_embed_dims: Length of the learned vector per joint.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_dims: int,
        embed_dims: int,
        num_heads: int,
        depth: int,
        mlp_ratio: float,
        dropout: float,
        joint_embed_dims: int,
    ) -> None:
        super().__init__()
        self.joint_embed = nn.Embedding(skeleton.num_joints, joint_embed_dims)
        self.token_embed = nn.Linear(in_dims + joint_embed_dims, embed_dims)
        self.virtual_node = nn.Parameter(torch.randn(embed_dims) * 0.02)
        self.graph_bias = GraphBias(skeleton)
        self.blocks = nn.ModuleList(
            GraphBlock(embed_dims, num_heads, mlp_ratio, dropout) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dims)

    def embed(self, values: Tensor) -> Tensor:
        """Return the tokens (N, 1 + J, D) of (N, J, C), the virtual node first."""
        joints = self.joint_embed.weight.expand(len(values), -1, -1)
        tokens = self.token_embed(torch.cat([values, joints], -1))
        virtual = self.virtual_node.to(tokens.dtype).expand(len(values), 1, -1)
        return torch.cat([virtual, tokens], 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return the normalised virtual node (N, D) of (N, J, C)."""
        tokens = self.embed(values)
        bias = self.graph_bias()
        for block in self.blocks[:-1]:
            tokens = block(tokens, bias)
        # Only the virtual node is read, so the last block need not compute the others.
        return self.norm(self.blocks[-1].first(tokens, bias))


@LOSS_NETS.register_module()
class GraphLossNet(LossNet):
    """Transformer over the joints and a virtual node whose output gives the energy.

    A joint's token embeds its 2D keypoint, its 3D position and a learned vector per
    joint. 2,185,512 parameters at 17 joints, as published.

    Args:
        skeleton: Skeleton of the poses, or its name.
        embed_dims: Width of a token.
        num_heads: Attention heads.
        depth: Number of blocks.
        mlp_ratio: Width of a block's MLP over the width of a token.
        dropout: Within the blocks, while the loss-net trains.
        joint_embed_dims: Length of the learned vector per joint.
        fusion: How 2D and 3D meet: ``early`` in the token of a joint, ``late`` in the
            head, each with an encoder of its own, ``pose`` not at all: the energy of
            the pose alone.
    """

    def __init__(
        self,
        skeleton: str | Skeleton,
        embed_dims: int = 256,
        num_heads: int = 8,
        depth: int = 4,
        mlp_ratio: float = 2.0,
        dropout: float = 0.1,
        joint_embed_dims: int = 32,
        fusion: str = 'early',
    ) -> None:
        super().__init__(skeleton)
        self.fusion = check_choice(self, 'fusion', fusion, FUSIONS)
        if embed_dims % num_heads:
            raise ValueError(
                f'embed_dims must be a multiple of num_heads, but got {embed_dims} '
                f'and {num_heads}'
            )

        def encoder(in_dims: int) -> GraphEncoder:
            sizes = (embed_dims, num_heads, depth, mlp_ratio, dropout)
            return GraphEncoder(self.skeleton, in_dims, *sizes, joint_embed_dims)

        self.encoder = encoder(5 if fusion == 'early' else 3)
        head_dims = embed_dims
        if fusion == 'late':
            self.keypoint_encoder = encoder(2)
            head_dims *= 2
        self.head = nn.Sequential(
            nn.Linear(head_dims, embed_dims), nn.GELU(), nn.Linear(embed_dims, 1)
        )

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy (N,) of N single poses; see the base class."""
        if y.device.type != 'cpu' or is_compiling():
            return self._score(x, y)
        parts = zip(x.split(CACHED_POSES), y.split(CACHED_POSES), strict=True)
        return torch.cat([self._score(*part) for part in parts])

    def _score(self, x: Tensor, y: Tensor) -> Tensor:
        code = self.encoder(torch.cat([x, y], -1) if self.fusion == 'early' else y)
        if self.fusion == 'late':
            code = torch.cat([code, self.keypoint_encoder(x)], -1)
        return self.head(code).squeeze(-1)
