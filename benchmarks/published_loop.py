"""The published training step of SEAL in plain PyTorch, for train_step.py.

Written for the benchmark after the behaviour of the published MixSTE loop and its graph
loss-net (yeonsungk1m/mixste_graph-MLP), with what costs time left as it was: two passes
through the pose-net, truth and prediction in passes of their own, an attention bias for
every sample and head in every pass, attention in separate operations, plain optimizers,
scalars read in every step.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sealpose.skeletons import Skeleton

PoseLoss = Callable[[Tensor, Tensor], Tensor]


class PublishedBias(nn.Module):
    """Attention bias (B, H, 1 + J, 1 + J), built anew for every batch.

    Args:
        skeleton: Gives the graph.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        hops = torch.from_numpy(skeleton.hop_distances).float()
        self.register_buffer('hops', hops)
        self.register_buffer('edges', (hops == 1).float())
        self.register_buffer('degree', self.edges.sum(-1))
        self.gamma = nn.Parameter(torch.tensor(0.8))
        self.edge = nn.Parameter(torch.zeros(1))
        self.no_edge = nn.Parameter(torch.tensor(-2.0))
        self.degree_scale = nn.Parameter(torch.tensor(0.2))
        self.from_node = nn.Parameter(torch.zeros(1))
        self.to_node = nn.Parameter(torch.zeros(1))
        self.node_self = nn.Parameter(torch.zeros(1))

    def forward(self, batch: int, heads: int) -> Tensor:
        """Build the bias; on a GPU both ``.item()`` wait for it.

        Args:
            batch: Samples.
            heads: Attention heads.
        """
        joints = len(self.hops)
        size = (batch, heads, joints + 1, joints + 1)
        bias = torch.zeros(size, device=self.hops.device)
        inner = torch.zeros_like(self.edges)
        if self.gamma.item() != 0:
            inner = inner - self.gamma * self.hops
        inner = torch.where(self.edges > 0, inner, inner + self.no_edge)
        degrees = self.degree[:, None] + self.degree[None, :]
        inner = inner + self.degree_scale * degrees / (self.degree.max() + 1e-6)
        bias[:, :, 1:, 1:] = inner.expand(batch, heads, joints, joints)
        # The distance to the virtual node is computed, and then replaced.
        if self.gamma.item() != 0:
            (-self.gamma).detach()
        bias[:, :, 0, 1:] = self.from_node
        bias[:, :, 1:, 0] = self.to_node
        bias[:, :, 0, 0] = self.node_self
        return bias


class PublishedBlock(nn.Module):
    """Pre-norm transformer block with its attention in separate operations.

    Args:
        dims: Width of a token.
        heads: Attention heads.
        mlp_ratio: Width of the MLP over the width of a token.
        dropout: Of the attention weights and of both residual branches.
    """

    def __init__(self, dims: int, heads: int, mlp_ratio: float, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.query, self.key = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.value, self.proj = nn.Linear(dims, dims), nn.Linear(dims, dims)
        hidden = int(dims * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dims, hidden), nn.GELU(), nn.Linear(hidden, dims)
        )
        self.attention_dropout = nn.Dropout(dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Return all tokens (N, L, D) of the block's output."""
        tokens = tokens + self.dropout(self._attend(self.norm1(tokens), bias))
        return tokens + self.dropout(self.mlp(self.norm2(tokens)))

    def _attend(self, tokens: Tensor, bias: Tensor) -> Tensor:
        batch, length, dims = tokens.shape
        shape = (batch, length, self.heads, dims // self.heads)
        query, key, value = (
            project(tokens).view(shape).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-2, -1) / math.sqrt(shape[-1])
        weights = self.attention_dropout(torch.softmax(scores + bias, dim=-1))
        attended = (weights @ value).transpose(1, 2).contiguous()
        return self.proj(attended.view(batch, length, dims))


class PublishedLossNet(nn.Module):
    """The graph loss-net with the published sizes: 2,185,512 parameters at 17 joints.

    Args:
        skeleton: Gives the graph.
        dims: Width of a token.
        heads: Attention heads.
        depth: Blocks.
        mlp_ratio: Width of a block's MLP over the width of a token.
        dropout: Within the blocks.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        dims: int = 256,
        heads: int = 8,
        depth: int = 4,
        mlp_ratio: float = 2.0,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.joint_embed = nn.Embedding(skeleton.num_joints, 32)
        self.token_embed = nn.Linear(2 + 3 + 32, dims)
        self.virtual_node = nn.Parameter(torch.randn(1, 1, dims) * 0.02)
        self.bias = PublishedBias(skeleton)
        self.blocks = nn.ModuleList(
            PublishedBlock(dims, heads, mlp_ratio, dropout) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dims)
        self.head = nn.Sequential(nn.Linear(dims, dims), nn.GELU(), nn.Linear(dims, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energies (B * T, 1) of x (B, T, J, 2) and y (B, T, J, 3)."""
        x, y = x.flatten(0, 1), y.flatten(0, 1)
        count, joints = x.shape[:2]
        number = torch.arange(joints, device=x.device).expand(count, joints)
        tokens = self.token_embed(torch.cat([x, y, self.joint_embed(number)], -1))
        tokens = torch.cat([self.virtual_node.expand(count, 1, -1), tokens], 1)
        bias = self.bias(count, self.heads)
        for block in self.blocks:
            tokens = block(tokens, bias)
        return self.head(self.norm(tokens)[:, 0])


class PublishedLoop:
    """One training step of the published loop.

    Args:
        pose_net: Returns (B, T', J, 3).
        loss_net: A :class:`PublishedLossNet`.
        pose_loss: Of prediction and truth.
        optimizer: Of the pose-net.
        loss_optimizer: Of the loss-net.
        gradients: As published: the prediction that the loss-net ranks carries a graph
            through the pose-net, and the energy pass computes the gradients of the
            loss-net too. False is the same step without either.
        energy_weight: Of the mean energy.
    """

    def __init__(
        self,
        pose_net: nn.Module,
        loss_net: nn.Module,
        pose_loss: PoseLoss,
        optimizer: torch.optim.Optimizer,
        loss_optimizer: torch.optim.Optimizer,
        gradients: bool = True,
        energy_weight: float = 1e-3,
    ) -> None:
        self.pose_net = pose_net
        self.loss_net = loss_net
        self.pose_loss = pose_loss
        self.optimizer = optimizer
        self.loss_optimizer = loss_optimizer
        self.gradients = gradients
        self.energy_weight = energy_weight
        self.total = 0.0

    def step(self, window: Tensor, x: Tensor, y: Tensor) -> None:
        """Update the loss-net, then the pose-net.

        Args:
            window: Input of the pose-net (B, T, J, 2).
            x: The predicted frames of it (B, T', J, 2).
            y: The truth (B, T', J, 3).
        """
        self._update_loss_net(window, x, y)
        self._update_pose_net(window, x, y)

    def _update_loss_net(self, window: Tensor, x: Tensor, y: Tensor) -> None:
        self.pose_net.eval()
        self.loss_net.train()
        with torch.set_grad_enabled(self.gradients):
            pred = self.pose_net(window)
        energy_pred, energy_true = self.loss_net(x, pred), self.loss_net(x, y)
        margin = self.pose_loss(pred, y).view(-1, 1)
        hinge = torch.max(margin - energy_pred + energy_true, torch.zeros_like(margin))
        self.loss_optimizer.zero_grad()
        hinge.mean().backward()
        self.loss_optimizer.step()

    def _update_pose_net(self, window: Tensor, x: Tensor, y: Tensor) -> None:
        self.loss_net.eval()
        self.pose_net.train()
        self.loss_net.requires_grad_(self.gradients)
        self.optimizer.zero_grad()
        pred = self.pose_net(window)
        pose_loss = self.pose_loss(pred, y)
        loss = pose_loss + self.energy_weight * self.loss_net(x, pred).mean()
        loss.backward(loss.detach().clone())
        self.total += len(y) * pose_loss.item()
        self.optimizer.step()
        self.loss_net.requires_grad_(True)
