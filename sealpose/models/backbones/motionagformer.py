"""MotionAGFormer: attention and graph convolution in parallel, fused by position.

S. Mehraban et al., MotionAGFormer: enhancing 3D human pose estimation with a
transformer-GCNFormer network, WACV 2024. Original:
https://github.com/TaatiTeam/MotionAGFormer, whose numbers this module gives with the
same weights and ``published_edges=True``. What differs: the graph of the joints is the
skeleton's, without confidences every keypoint counts as certain, and attention runs in
one fused kernel.
"""

import math
from itertools import count
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.dstformer import (
    Fusion,
    SpatialAttention,
    TemporalAttention,
    with_confidence,
)
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import MLP
from sealpose.registry import BACKBONES
from sealpose.skeletons import Skeleton, get_skeleton

# Neighbours of each joint in the original, in the order of h36m17: the pelvis lacks the
# left hip (4), the thorax (8) lacks both shoulders (11, 14).
PUBLISHED_NEIGHBOURS = (
    (1, 7),
    (0, 2),
    (1, 3),
    (2,),
    (0, 5),
    (4, 6),
    (5,),
    (0, 8),
    (7, 9),
    (8, 10),
    (9,),
    (8, 12),
    (11, 13),
    (12,),
    (8, 15),
    (14, 16),
    (15,),
)


def _settings(state: StateDict) -> dict[str, Any]:
    embed_dims = state['pos_embed'].shape[-1]
    frames = len(state['layers.0.graph_temporal.mixer.batch_norm.running_mean'])
    return dict(
        num_frames=frames,
        embed_dims=embed_dims,
        depth=next(i for i in count() if f'layers.{i}.fusion.weight' not in state),
        mlp_ratio=len(state['layers.0.att_spatial.mlp.fc1.bias']) / embed_dims,
        published_edges=True,
    )


@BACKBONES.register_module()
class MotionAGFormer(Backbone):
    """Predicts every frame of its window from attention and graph convolutions.

    A layer sends the tokens (B, T, J, C), one for each joint of each frame, through two
    streams, each over the joints and then over the frames: one attends, the other
    convolves over graphs. The joints' graph is fixed; in the frames' graph each frame
    of a joint is linked to those most similar to it. A weight per token mixes the
    results.

    Args:
        skeleton: Name of the skeleton that is lifted, or the skeleton.
        num_frames: Frames T of the window. A batch norm of T channels ties the weights
            to it.
        variant: Which of ``variants`` sets depth and width: XS, S, B or L. Published
            for 27, 81, 243 and 243 frames on Human3.6M, 27, 81, 81 and 81 on
            MPI-INF-3DHP.
        depth: Layers; replaces the variant's.
        embed_dims: Width C of the tokens; replaces the variant's.
        num_heads: Attention heads; the shapes of weights do not tell it.
        mlp_ratio: Hidden channels of the MLPs per channel.
        num_neighbours: Most similar frames, usually with itself among them, that each
            frame is linked to; more if several are equally similar.
        published_edges: Link the joints as the original code does, for every skeleton
            of 17 joints alike: its list follows Human3.6M's order and lacks the links
            from the pelvis to the left hip and from the thorax to the shoulders, though
            not those back. Published weights need it. Otherwise joints are linked as in
            the skeleton, both ways: the default, because one-sided links treat left and
            right differently and mean nothing in another order of joints.

    Raises:
        ValueError: unknown variant, published edges for other than 17 joints, or fewer
            frames than neighbours.
    """

    variants: ClassVar[dict[str, dict[str, int]]] = dict(
        XS=dict(depth=12, embed_dims=64),
        S=dict(depth=26, embed_dims=64),
        B=dict(depth=16, embed_dims=128),
        L=dict(depth=26, embed_dims=128),
    )
    seq2seq = True
    official = OfficialWeights(
        source='TaatiTeam/MotionAGFormer',
        renames=(
            (r'^joints_embed\.', 'embedding.'),
            (r'^rep_logit\.fc\.', 'representation.'),
            (r'\.att_(spatial|temporal)\.', r'.attention.\1.'),
            (r'\.graph_(spatial|temporal)\.', r'.graph.\1.'),
            (r'\.mixer\.U\.', '.mixer.own.'),
            (r'\.mixer\.V\.', '.mixer.neighbours.'),
        ),
        settings=_settings,
        output_layers=('head',),
    )

    def __init__(
        self,
        skeleton: str | Skeleton = 'h36m17',
        num_frames: int = 243,
        variant: str = 'B',
        depth: int | None = None,
        embed_dims: int | None = None,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        num_neighbours: int = 2,
        published_edges: bool = False,
    ) -> None:
        super().__init__()
        if variant not in self.variants:
            raise ValueError(
                f'there is no MotionAGFormer variant {variant!r}; choose one of '
                f'{", ".join(self.variants)}, or set depth and embed_dims'
            )
        if num_neighbours > num_frames:
            raise ValueError(
                f'num_neighbours={num_neighbours} frames cannot be chosen from windows '
                f'of num_frames={num_frames}; lower num_neighbours'
            )
        depth = depth or self.variants[variant]['depth']
        dim = embed_dims or self.variants[variant]['embed_dims']
        edges = _joint_graph(get_skeleton(skeleton), published_edges)
        self.num_joints = len(edges)
        self.num_frames = num_frames
        self.embedding = nn.Linear(3, dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, self.num_joints, dim))
        self.layers = nn.Sequential()
        for _ in range(depth):
            mixers = dict(
                attention=(
                    SpatialAttention(dim, num_heads, qkv_bias=False),
                    TemporalAttention(dim, num_heads, qkv_bias=False),
                ),
                graph=(
                    _SpatialGraphConv(dim, edges),
                    _TemporalGraphConv(dim, num_frames, num_neighbours),
                ),
            )
            self.layers.append(_Layer(dim, mlp_ratio, **mixers))
        self.norm = nn.LayerNorm(dim)
        self.representation = nn.Linear(dim, 512)
        self.head = nn.Linear(512, 3)

    def forward(self, keypoints_2d: Tensor) -> Tensor:
        """Lift (B, T, J, 2 or 3) to (B, T, J, 3); the third value is the confidence.

        Raises:
            ValueError: the window has not ``num_frames`` frames or not J joints.
        """
        self.check_joints(keypoints_2d)
        if keypoints_2d.shape[1] != self.num_frames:
            raise ValueError(
                f'MotionAGFormer got a window of {keypoints_2d.shape[1]} frames, but '
                f'its temporal batch norms are those of num_frames={self.num_frames}; '
                'give windows of that length or build the network for another'
            )
        x = self.embedding(with_confidence(keypoints_2d)) + self.pos_embed
        x = self.norm(self.layers(x))
        return self.head(torch.tanh(self.representation(x)))


def _joint_graph(skeleton: Skeleton, published: bool) -> Tensor:
    """Adjacency (J, J) without self loops, row i marking the neighbours of joint i."""
    if not published:
        return torch.tensor(skeleton.hop_distances == 1).float()
    if skeleton.num_joints != len(PUBLISHED_NEIGHBOURS):
        raise ValueError(
            f'published_edges links {len(PUBLISHED_NEIGHBOURS)} joints, but skeleton '
            f'{skeleton.name!r} has {skeleton.num_joints}; set published_edges=False'
        )
    graph = torch.zeros(skeleton.num_joints, skeleton.num_joints)
    for joint, neighbours in enumerate(PUBLISHED_NEIGHBOURS):
        graph[joint, neighbours] = 1
    return graph


class _Layer(nn.Module):
    """Both streams of one layer and their fusion."""

    def __init__(
        self,
        dim: int,
        mlp_ratio: float,
        attention: tuple[nn.Module, nn.Module],
        graph: tuple[nn.Module, nn.Module],
    ) -> None:
        super().__init__()
        self.attention = _Stream(dim, mlp_ratio, *attention)
        self.graph = _Stream(dim, mlp_ratio, *graph)
        self.fusion = Fusion(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fusion(self.attention(x), self.graph(x))


class _Stream(nn.Sequential):
    def __init__(
        self, dim: int, mlp_ratio: float, spatial: nn.Module, temporal: nn.Module
    ) -> None:
        super().__init__()
        self.spatial = _Block(spatial, dim, mlp_ratio)
        self.temporal = _Block(temporal, dim, mlp_ratio)


class _Block(nn.Module):
    """A mixer of tokens and an MLP, each behind a layer norm and in a scaled residual.

    The scales start at 1e-5 (H. Touvron et al., Going deeper with image transformers,
    ICCV 2021).
    """

    def __init__(self, mixer: nn.Module, dim: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.mixer = mixer
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, int(dim * mlp_ratio))
        self.layer_scale_1 = nn.Parameter(torch.full((dim,), 1e-5))
        self.layer_scale_2 = nn.Parameter(torch.full((dim,), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.addcmul(x, self.layer_scale_1, self.mixer(self.norm1(x)))
        return torch.addcmul(x, self.layer_scale_2, self.mlp(self.norm2(x)))


class _GraphConv(nn.Module):
    r"""Graph convolution :math:`relu(x + BN(\hat A V(x) + U(x)))`, U ``own``.

    V is ``neighbours``, :math:`\hat A = D^{-1/2} A D^{-1/2}` with the degrees D of A's
    rows; the batch norm has one channel for each node.
    """

    def __init__(self, dim: int, num_nodes: int) -> None:
        super().__init__()
        self.own = nn.Linear(dim, dim)
        self.neighbours = nn.Linear(dim, dim)
        self.batch_norm = nn.BatchNorm1d(num_nodes)
        for linear in (self.own, self.neighbours):
            nn.init.normal_(linear.weight, std=math.sqrt(2 / dim))

    def convolve(self, x: Tensor, graph: Tensor) -> Tensor:
        """Map ``x`` (N, nodes, C) over ``graph`` (N, nodes, nodes) to its shape."""
        mixed = torch.baddbmm(self.own(x), graph, self.neighbours(x))
        return torch.relu(x + self.batch_norm(mixed))


class _SpatialGraphConv(_GraphConv):
    """Convolves over the joints, whose graph is fixed."""

    def __init__(self, dim: int, edges: Tensor) -> None:
        super().__init__(dim, len(edges))
        scale = edges.sum(1).rsqrt()
        graph = scale[:, None] * edges * scale
        self.register_buffer('graph', graph, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        nodes = x.flatten(0, 1)
        return self.convolve(nodes, self.graph.expand(len(nodes), -1, -1)).view_as(x)


class _TemporalGraphConv(_GraphConv):
    """Convolves over the frames of a joint, linked by their similarity."""

    def __init__(self, dim: int, num_frames: int, num_neighbours: int) -> None:
        super().__init__(dim, num_frames)
        self.num_neighbours = num_neighbours

    def forward(self, x: Tensor) -> Tensor:
        """Mix the frames of ``x`` (B, T, J, C), each joint for itself."""
        nodes = x.transpose(1, 2)
        shape = nodes.shape
        nodes = nodes.flatten(0, 1)
        mixed = self.convolve(nodes, similarity_graph(nodes, self.num_neighbours))
        return mixed.view(shape).transpose(1, 2)


@torch.no_grad()
def similarity_graph(nodes: Tensor, num_neighbours: int) -> Tensor:
    """Link each node to those most similar to it, by their scalar product.

    Args:
        nodes: (N, nodes, C).
        num_neighbours: Links of a node; as many more as are exactly as similar as the
            least similar of these.

    Returns:
        The adjacency (N, nodes, nodes), divided by the square roots of the degrees of
        row and column.
    """
    # In half precision the frames of a slow motion would be equally similar.
    with torch.autocast(nodes.device.type, enabled=False):
        similarity = nodes @ nodes.mT
    least = similarity.topk(num_neighbours, dim=-1).values[..., -1:]
    graph = (similarity >= least).to(nodes.dtype)
    scale = graph.sum(-1, keepdim=True).rsqrt_()
    return graph.mul_(scale).mul_(scale.mT)
