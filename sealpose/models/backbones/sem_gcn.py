"""SemGCN: graph convolutions over the joints with learned weights of the edges.

L. Zhao et al., Semantic graph convolutional networks for 3D human pose regression, CVPR
2019. Original: https://github.com/garyzhao/SemGCN, whose numbers this module gives with
the same weights. What differs: the joints are the first axis inside, so that one matrix
product serves the whole batch; neighbours are gathered before they are projected;
parameters have descriptive names.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.registry import BACKBONES
from sealpose.skeletons import Skeleton, get_skeleton

PUBLISHED_GROUPS = {
    'h36m16': ((2, 3), (5, 6), (1, 4), (0, 7), (8, 9), (14, 15), (11, 12), (10, 13))
}
SKELETONS_BY_JOINTS = {16: 'h36m16', 17: 'h36m17', 133: 'coco_wholebody133'}


def _settings(state: StateDict) -> dict[str, Any]:
    channels, edges = state['gconv_output.W'].shape[1], state['gconv_output.e'].numel()
    # J joints of a tree: J self loops and 2 (J - 1) directed edges.
    skeleton = SKELETONS_BY_JOINTS.get((edges + 2) // 3)
    return dict(
        channels=channels,
        num_layers=sum(key.endswith('gconv2.gconv.W') for key in state),
        non_local=any('.nonlocal.' in key for key in state),
        **(dict(skeleton=skeleton) if skeleton else {}),
    )


@BACKBONES.register_module()
class SemGCN(Backbone):
    """Residual graph convolutions over the joints of one frame.

    Args:
        skeleton: Skeleton whose segments are the edges, or its name.
        channels: Width C of the hidden layers.
        num_layers: Residual blocks of two graph convolutions each.
        dropout: Drop probability after each hidden graph convolution.
        non_local: Let each joint see all others after the first layer and each block.
        groups: For ``non_local``: joints that are pooled together, as positions, all
            groups of the same size. None takes the published pairs of ``h36m16``.

    Raises:
        ValueError: ``non_local`` without groups for another skeleton, or groups of
            different sizes or with unknown joints.
    """

    seq2seq = True
    any_length = True
    official = OfficialWeights(
        source='garyzhao/SemGCN',
        renames=(
            (r'^gconv_', ''),
            (r'\.nonlocal\.', '.'),
            (r'\.(g|phi)\.0\.', r'.\1.'),
            (r'\.concat_project\.0\.', '.affinity.'),
            (r'\.W\.0\.', '.project.'),
            (r'\.W\.1\.', '.norm.'),
            (r'\.bn\.', '.norm.'),
            (r'\.W$', '.weight'),
            (r'\.e$', '.edge_scores'),
        ),
        settings=_settings,
    )

    def __init__(
        self,
        skeleton: str | Skeleton = 'h36m17',
        channels: int = 128,
        num_layers: int = 4,
        dropout: float = 0.0,
        non_local: bool = False,
        groups: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        skeleton = get_skeleton(skeleton)
        self.num_joints = skeleton.num_joints
        adjacency = torch.from_numpy(skeleton.hop_distances) <= 1
        pooled = _joint_groups(skeleton, groups) if non_local else None

        def stage(block: nn.Module) -> list[nn.Module]:
            return [block, NonLocal(channels, pooled)] if non_local else [block]

        self.input = nn.Sequential(
            *stage(GraphConvBlock(2, channels, adjacency, dropout))
        )
        self.layers = nn.Sequential()
        for _ in range(num_layers):
            self.layers.extend(stage(ResidualBlock(channels, adjacency, dropout)))
        self.output = SemGraphConv(channels, 3, adjacency)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2) to (B, T, J, 3), frame by frame."""
        self.check_joints(keypoints_2d)
        x = keypoints_2d.flatten(0, 1).transpose(0, 1).contiguous()
        x = self.output(self.layers(self.input(x)))
        return x.transpose(0, 1).reshape(*keypoints_2d.shape[:3], 3)


class SemGraphConv(nn.Module):
    r"""Graph convolution whose edges have learned weights.

    With A the softmax of the scores of the edges (self loops among them) over each row,
    A = diag(a) + N, and I own and neighbours' inputs weighed so,

    .. math:: y = (a \circ x) W_0 + (N x) W_1 + b.

    Args:
        in_dim: Channels in.
        out_dim: Channels out.
        adjacency: (J, J) bool, the edges with self loops; the scores are in its order,
            row by row.
    """

    def __init__(self, in_dim: int, out_dim: int, adjacency: Tensor) -> None:
        super().__init__()
        self.num_joints = len(adjacency)
        edges = adjacency.flatten().nonzero()[:, 0]
        self.register_buffer('edges', edges, persistent=False)
        self.weight = nn.Parameter(torch.empty(2, in_dim, out_dim))
        self.edge_scores = nn.Parameter(torch.ones(1, len(edges)))
        self.bias = nn.Parameter(torch.empty(out_dim))
        nn.init.xavier_uniform_(self.weight, gain=math.sqrt(2))
        nn.init.uniform_(self.bias, -1 / math.sqrt(out_dim), 1 / math.sqrt(out_dim))

    def edge_weights(self) -> Tensor:
        """Return A (J, J): how much each joint (row) takes from each (column)."""
        joints = self.num_joints
        scores = self.edge_scores.new_full((joints * joints,), -math.inf)
        scores = scores.scatter(0, self.edges, self.edge_scores[0])
        return scores.view(joints, joints).softmax(1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (J, N, in_dim) of N poses to (J, N, out_dim)."""
        weights = self.edge_weights()
        own = weights.diagonal()
        neighbours = (weights - own.diag()) @ x.flatten(1)
        own_weight, neighbour_weight = self.weight
        y = torch.addmm(self.bias, (x * own[:, None, None]).flatten(0, 1), own_weight)
        y = torch.addmm(y, neighbours.view(-1, x.shape[2]), neighbour_weight)
        return y.view(*x.shape[:2], -1)


class GraphConvBlock(nn.Module):
    """Graph convolution, batch norm, ReLU, dropout.

    Args:
        in_dim: Channels in.
        out_dim: Channels out.
        adjacency: (J, J) bool.
        dropout: Drop probability.
    """

    def __init__(
        self, in_dim: int, out_dim: int, adjacency: Tensor, dropout: float
    ) -> None:
        super().__init__()
        self.gconv = SemGraphConv(in_dim, out_dim, adjacency)
        self.norm = nn.BatchNorm1d(out_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (J, N, in_dim) to (J, N, out_dim)."""
        y = self.norm(self.gconv(x).flatten(0, 1))
        return self.dropout(F.relu_(y)).view(*x.shape[:2], -1)


class ResidualBlock(nn.Module):
    """Two graph convolutions inside a residual.

    Args:
        channels: Channels C.
        adjacency: (J, J) bool.
        dropout: Drop probability after each.
    """

    def __init__(self, channels: int, adjacency: Tensor, dropout: float) -> None:
        super().__init__()
        self.gconv1 = GraphConvBlock(channels, channels, adjacency, dropout)
        self.gconv2 = GraphConvBlock(channels, channels, adjacency, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (J, N, C) to the same shape."""
        return x + self.gconv2(self.gconv1(x))


class NonLocal(nn.Module):
    r"""Adds to each joint a weighted sum over all groups of joints.

    With :math:`\theta, \phi, g` linear maps to half the channels, the latter two
    max-pooled over each of P groups, joint j takes
    :math:`\frac1P\mathrm{relu}(w_\theta\theta_j + w_\phi\phi_p)` of :math:`g_p`.

    Source: X. Wang et al., Non-local neural networks, CVPR 2018, in the form of
    concatenation. The last batch norm starts at zero: the layer as the identity.

    Args:
        channels: Channels C.
        groups: (P, size) positions of the joints of each group.
    """

    def __init__(self, channels: int, groups: Tensor) -> None:
        super().__init__()
        half = channels // 2
        self.register_buffer('groups', groups, persistent=False)
        self.g = nn.Conv1d(channels, half, 1)
        self.theta = nn.Conv1d(channels, half, 1)
        self.phi = nn.Conv1d(channels, half, 1)
        self.affinity = nn.Conv2d(2 * half, 1, 1, bias=False)
        self.project = nn.Conv1d(half, channels, 1)
        self.norm = nn.BatchNorm1d(channels)
        for conv in (self.g, self.theta, self.phi, self.affinity, self.project):
            nn.init.kaiming_normal_(conv.weight)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (J, N, C) to the same shape."""
        joints, poses, _ = x.shape
        grouped = x[self.groups]
        g = _pointwise(grouped, self.g).amax(1)
        phi = _pointwise(grouped, self.phi).amax(1)
        theta_affinity, phi_affinity = self.affinity.weight.flatten().chunk(2)
        # theta enters through its affinity alone: project C channels to that one number
        own = x @ (theta_affinity @ self.theta.weight[..., 0])
        own = own + theta_affinity @ self.theta.bias
        share = F.relu(own[:, None] + phi @ phi_affinity) / len(self.groups)
        y = torch.einsum('jpn,pnc->jnc', share, g)
        y = self.norm(_pointwise(y, self.project).view(joints * poses, -1))
        return x + y.view_as(x)


def _pointwise(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """Apply a convolution of width 1 to (..., C)."""
    return F.linear(x, conv.weight[..., 0], conv.bias)


def _joint_groups(skeleton: Skeleton, groups: Sequence[Sequence[int]] | None) -> Tensor:
    if groups is None:
        groups = PUBLISHED_GROUPS.get(skeleton.name)
    if groups is None:
        raise ValueError(
            f'SemGCN with non_local=True pools groups of joints, which are published '
            f'for {", ".join(PUBLISHED_GROUPS)} alone; give the groups of '
            f'{skeleton.name!r}, e.g. groups=[[0, 1], [2, 3], ...]'
        )
    sizes = {len(group) for group in groups}
    known = range(skeleton.num_joints)
    if len(sizes) != 1 or any(
        joint not in known for group in groups for joint in group
    ):
        raise ValueError(
            f'groups must all have the same size and hold positions of joints from 0 '
            f'to {skeleton.num_joints - 1}; got {groups}'
        )
    return torch.tensor([list(group) for group in groups])
