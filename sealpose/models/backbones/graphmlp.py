"""GraphMLP: an MLP-Mixer over joints and channels with graph convolutions beside it.

W. Li et al., GraphMLP: a graph MLP-like architecture for 3D human pose estimation,
Pattern Recognition 2025. Original: https://github.com/Vegetebird/GraphMLP, whose
numbers this module gives with the same weights. What differs: the graph is made for any
skeleton, and computed rather than stored among the weights as frozen parameters.
"""

from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import MLP, DropPath, drop_path_rates
from sealpose.registry import BACKBONES
from sealpose.skeletons import Skeleton, get_skeleton


def _settings(state: StateDict) -> dict[str, Any]:
    first = 'mlp_gcn.blocks.0'
    # A sequence of linear layer and layer norm where windows are longer than a frame.
    in_sequence = f'{first}.mlp_1.fc1.0.bias' in state
    token_bias = state[f'{first}.mlp_1.fc1.{"0." if in_sequence else ""}bias']
    return dict(
        num_frames=state['embedding.weight'].shape[1] // 2,
        embed_dims=state['embedding.weight'].shape[0],
        depth=next(
            i for i in count() if f'mlp_gcn.blocks.{i}.norm1.weight' not in state
        ),
        token_dims=len(token_bias),
        channel_dims=len(state[f'{first}.mlp_2.fc1.bias']),
    )


@BACKBONES.register_module()
class GraphMLP(Backbone):
    """Predicts the centre frame; the frames of a joint are channels of one token.

    A block mixes the joints and then the channels, both times by an MLP and a graph
    convolution in parallel.

    Args:
        skeleton: Name of the skeleton that is lifted, or the skeleton.
        num_frames: Frames T of the window.
        embed_dims: Width C of the tokens.
        depth: Blocks.
        token_dims: Hidden channels of the MLPs over the joints.
        channel_dims: Hidden channels of the MLPs over the channels.
        dropout: Drop probability after each layer of the MLPs.
        drop_path: Drop probability of the residual branches in the last block; it grows
            linearly from 0 in the first.
    """

    official = OfficialWeights(
        source='Vegetebird/GraphMLP',
        renames=(
            (r'^mlp_gcn\.', ''),
            (r'^(A|blocks\.\d+\.(gcn_\d\.)?adj)$', 'adjacency'),
            (r'\.mlp_1\.', '.token_mlp.'),
            (r'\.mlp_2\.', '.channel_mlp.'),
            (r'\.gcn_1\.', '.token_gcn.'),
            (r'\.gcn_2\.', '.channel_gcn.'),
            (r'\.token_mlp\.(fc\d)\.0\.', r'.token_mlp.\1.'),
            (r'\.token_mlp\.fc(\d)\.1\.', r'.token_mlp.norm\1.'),
        ),
        constants=(r'^A$', r'\.adj$'),
        settings=_settings,
        output_layers=('head',),
    )

    def __init__(
        self,
        skeleton: str | Skeleton = 'h36m17',
        num_frames: int = 1,
        embed_dims: int = 512,
        depth: int = 3,
        token_dims: int = 256,
        channel_dims: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.2,
    ) -> None:
        super().__init__()
        self.num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.register_buffer(
            'adjacency', partitioned_graph(get_skeleton(skeleton)), persistent=False
        )
        self.embedding = nn.Linear(2 * num_frames, embed_dims)
        self.blocks = nn.Sequential()
        token_mlp = MLP if num_frames == 1 else _NormedMLP
        for rate in drop_path_rates(drop_path, depth):
            self.blocks.append(
                _Block(
                    embed_dims,
                    self.adjacency,
                    token_mlp(self.num_joints, token_dims, dropout),
                    MLP(embed_dims, channel_dims, dropout),
                    rate,
                )
            )
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.head = nn.Linear(embed_dims, 3)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, 1, J, 3).

        Raises:
            ValueError: the window has not ``num_frames`` frames or not J joints.
        """
        self.check_joints(keypoints_2d)
        if keypoints_2d.shape[1] != self.num_frames:
            raise ValueError(
                f'GraphMLP got a window of {keypoints_2d.shape[1]} frames, but embeds '
                f'num_frames={self.num_frames} at once; give windows of that length or '
                'build the network for another'
            )
        # Channels: all x of the window, then all y.
        x = self.embedding(keypoints_2d.permute(0, 2, 3, 1).flatten(2))
        return self.head(self.norm(self.blocks(x)))[:, None]


def partitioned_graph(skeleton: Skeleton) -> Tensor:
    """Adjacency in four parts, with each joint linked also to its mirror image.

    Entry (p, i, j) weighs how much joint i contributes to joint j in part p: i is joint
    j itself, farther from the middle of the body, nearer to it, or its mirror image.
    Columns of the sum are normalised to 1. The middle is the centre of the tree, the
    spine in Human3.6M's skeleton. After S. Yan et al., Spatial temporal graph
    convolutional networks, AAAI 2018.

    Args:
        skeleton: The skeleton of J joints.

    Returns:
        (4, J, J).
    """
    hops = skeleton.hop_distances
    own = np.eye(len(hops), dtype=bool)
    mirrored = own[:, list(skeleton.mirror)] & ~own
    linked = (hops == 1) & ~mirrored
    from_middle = hops[hops.max(1).argmin()]
    outwards = from_middle[:, None] > from_middle
    parts = np.stack([own, linked & outwards, linked & ~outwards, mirrored])
    return torch.tensor(parts / parts.sum((0, 1))).float()


class _Block(nn.Module):
    """Joints are mixed, then channels, each behind a layer norm and in a residual."""

    def __init__(
        self,
        dim: int,
        adjacency: Tensor,
        token_mlp: nn.Module,
        channel_mlp: nn.Module,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(adjacency.shape[1], eps=1e-6)
        self.token_mlp = token_mlp
        self.token_gcn = _GraphConv(dim, adjacency)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.channel_mlp = channel_mlp
        self.channel_gcn = _GraphConv(dim, adjacency)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Mix the joints of ``x`` (B, J, C), then its channels."""
        y = self.norm1(x.mT)
        mixed = self.token_mlp(y).mT + self.token_gcn(y.mT.contiguous())
        x = self.drop_path.add(x, mixed)
        y = self.norm2(x)
        return self.drop_path.add(x, self.channel_mlp(y) + self.channel_gcn(y))


class _NormedMLP(MLP):
    """MLP with a layer norm after each linear layer."""

    def __init__(self, dim: int, hidden_dim: int, drop: float = 0.0) -> None:
        super().__init__(dim, hidden_dim, drop)
        self.norm1 = nn.LayerNorm(hidden_dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.act(self.norm1(self.fc1(x))))
        return self.drop(self.norm2(self.fc2(x)))


class _GraphConv(nn.Module):
    """Graph convolution with weights of its own for each part of the graph."""

    def __init__(self, dim: int, adjacency: Tensor) -> None:
        super().__init__()
        parts = len(adjacency)
        self.conv = nn.Conv2d(dim, parts * dim, kernel_size=1)
        # (joint out, (joint in, part)): multiplies the projections where they lie.
        self.register_buffer(
            'graph', adjacency.permute(2, 1, 0).flatten(1), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (B, J, C) to the same shape."""
        projected = self.conv(x.mT[:, :, None]).squeeze(2).mT
        projected = projected.unflatten(-1, (-1, x.shape[-1])).flatten(1, 2)
        return torch.bmm(self.graph.expand(len(x), -1, -1), projected)
