"""Graph convolution whose graph is partly fixed and partly learned."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class LearnableGraphConv(nn.Module):
    r"""Graph convolution with one part of the graph fixed and one learned.

    With A the symmetric part of their sum, I the identity, M a learned scale of each
    node and channel, and :math:`\circ` the product of entries,

    .. math:: y = (A \circ I)(M \circ x W_0) + (A \circ (1 - I))(M \circ x W_1) + b.

    Sources: Z. Zou and W. Tang, Modulated graph convolutional network for 3D human pose
    estimation, ICCV 2021; in this form J. Peng et al., KTPFormer, CVPR 2024.

    Args:
        in_dim: Channels in.
        out_dim: Channels out C.
        adjacency: The fixed graph (N, N). It follows from the settings of the network,
            so it is not stored with the weights.
    """

    def __init__(self, in_dim: int, out_dim: int, adjacency: Tensor) -> None:
        super().__init__()
        self.register_buffer('adjacency', adjacency, persistent=False)
        self.weight = nn.Parameter(torch.empty(2, in_dim, out_dim))
        self.modulation = nn.Parameter(torch.ones(len(adjacency), out_dim))
        self.learned_adjacency = nn.Parameter(torch.full_like(adjacency, 1e-6))
        self.bias = nn.Parameter(torch.empty(out_dim))
        nn.init.xavier_uniform_(self.weight, gain=math.sqrt(2))
        nn.init.uniform_(self.bias, -1 / math.sqrt(out_dim), 1 / math.sqrt(out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map the N nodes of ``x`` (B, N, in_dim) to (B, N, C)."""
        graph = self.adjacency + self.learned_adjacency
        graph = (graph + graph.T) / 2
        neighbours = graph - graph.diagonal().diag()
        own = graph.diagonal()[:, None] * self.modulation
        own_weight, neighbour_weight = self.weight
        message = neighbours @ (self.modulation * (x @ neighbour_weight))
        return torch.addcmul(message + self.bias, own, x @ own_weight)


def neighbour_mean_adjacency(nodes: int, edges: Iterable[tuple[int, int]]) -> Tensor:
    """Return the (N, N) matrix that adds to each node the mean of its neighbours.

    Args:
        nodes: Number of nodes N.
        edges: Pairs of neighbours, each once, in either order.
    """
    linked = torch.zeros(nodes, nodes)
    for a, b in edges:
        linked[a, b] = linked[b, a] = 1
    return linked / linked.sum(1, keepdim=True).clamp(min=1) + torch.eye(nodes)
