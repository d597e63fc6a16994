"""The pre-norm transformer block of ViT and its descendants."""

from torch import Tensor, nn

from sealpose.models.layers.attention import Attention
from sealpose.models.layers.drop_path import DropPath


class MLP(nn.Module):
    """Two linear layers with a GELU between.

    Args:
        dim: Channels in and out.
        hidden_dim: Channels between.
        drop: Drop probability after each layer.
    """

    def __init__(self, dim: int, hidden_dim: int, drop: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden_dim, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (..., C) to the same shape."""
        x = self.drop(self.act(self.fc1(x)))
        return self.drop(self.fc2(x))


class TransformerBlock(nn.Module):
    """Attention and MLP, each behind a layer norm and inside a residual.

    Args:
        dim: Channels C.
        num_heads: Attention heads.
        mlp_ratio: Hidden channels of the MLP per channel.
        drop_path: Drop probability of each residual branch.
        eps: Of the layer norms.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = MLP(dim, int(dim * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Map the N tokens of ``x`` (B, N, C) to the same shape."""
        x = self.drop_path.add(x, self.attn(self.norm1(x)))
        return self.drop_path.add(x, self.mlp(self.norm2(x)))
