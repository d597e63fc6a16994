"""Multi-head self-attention."""

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention over the last but one axis.

    Args:
        dim: Channels C.
        num_heads: Heads; divides C.
        qkv_bias: Bias in the projection to queries, keys and values.
        attn_drop: Drop probability of the attention weights.
        proj_drop: Drop probability after the output projection.

    Raises:
        ValueError: ``num_heads`` does not divide ``dim``.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 8,
        qkv_bias: bool = True,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
    ) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(
                f'attention of {dim} channels cannot be shared by {num_heads} heads; '
                'choose a number of heads that divides the channels'
            )
        self.num_heads = num_heads
        self.attn_drop = attn_drop
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(self, x: Tensor) -> Tensor:
        """Let the N tokens of ``x`` (B, N, C) attend to each other."""
        # Split along the channels: its gradient is written once, where that of an
        # unbound (B, N, 3, H, C/H) would be stacked and then permuted.
        q, k, v = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        x = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.attn_drop if self.training else 0.0
        )
        return self.proj_drop(self.proj(x.transpose(1, 2).flatten(2)))
