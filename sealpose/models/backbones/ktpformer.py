"""KTPFormer: MixSTE with priors from the skeleton and from the order of the frames.

J. Peng et al., KTPFormer: kinematics and trajectory prior knowledge-enhanced
transformer for 3D human pose estimation, CVPR 2024. Original:
https://github.com/JihuaPeng/KTPFormer, whose output this module gives with the same
weights. What differs: any skeleton; the two blocks behind the priors are the first of
the lists of blocks; parameters have descriptive names; attention runs in one fused
kernel; a window of another length is refused.
"""

import re
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from sealpose.models.backbones.mixste import MixSTE, count_blocks
from sealpose.models.backbones.official import OfficialWeights, StateDict
from sealpose.models.layers import LearnableGraphConv, neighbour_mean_adjacency
from sealpose.registry import BACKBONES, SKELETONS
from sealpose.skeletons import H36M17, Skeleton, get_skeleton


class PriorLayer(nn.Module):
    """Graph convolution, batch norm over the channels, ReLU.

    Args:
        in_dim: Channels in.
        out_dim: Channels out C.
        adjacency: The fixed graph (N, N).
    """

    def __init__(self, in_dim: int, out_dim: int, adjacency: Tensor) -> None:
        super().__init__()
        self.conv = LearnableGraphConv(in_dim, out_dim, adjacency)
        self.norm = nn.BatchNorm1d(out_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map the N nodes of ``x`` (B, N, in_dim) to (B, N, C)."""
        x = self.conv(x)
        return self.norm(x.flatten(0, 1)).view_as(x).relu()


def _settings(state: StateDict) -> dict[str, Any]:
    _, num_joints, embed_dims = state['kpattention.attn.Spatial_pos_embed'].shape
    return dict(
        skeleton=_skeleton_with(num_joints),
        num_frames=state['tpattention.attn.Temporal_pos_embed'].shape[1],
        embed_dims=embed_dims,
        depth=count_blocks(state, 'STEblocks'),
    )


def _skeleton_with(num_joints: int) -> str:
    """Name a skeleton of that many joints, Human3.6M's where it is one of them."""
    names = [
        name
        for name, skeleton in SKELETONS.module_dict.items()
        if skeleton.num_joints == num_joints
    ]
    return H36M17.name if H36M17.name in names or not names else names[0]


def _count_on(match: re.Match[str]) -> str:
    """Move a block up by one: the first of its list is the one behind the prior."""
    name = dict(S='spatial_blocks', T='temporal_blocks')[match[1]]
    return f'{name}.{int(match[2]) + 1}.'


@BACKBONES.register_module()
class KTPFormer(MixSTE):
    """MixSTE behind graph convolutions that know which tokens are neighbours.

    The tokens come from a graph convolution over the skeleton (kinematics prior), not
    from a linear layer. Before the first temporal block, two graph convolutions over
    the chain of frames (trajectory prior) are added to them.

    Args:
        skeleton: Skeleton, or its name; it gives the joints J and their graph.
        num_frames: Frames T of the window.
        embed_dims: Width C of the tokens.
        depth: Pairs of a spatial and a temporal block after the first pair, which
            follows the priors: ``depth + 1`` in all, as the original counts.
        num_heads: Attention heads; divides the width.
        mlp_ratio: Hidden channels of the MLPs per channel.
        drop_path: Drop probability of the residual branches in the last pair; it grows
            linearly from 0 in the first.
    """

    official = OfficialWeights(
        source='JihuaPeng/KTPFormer',
        renames=(
            (r'^kpattention\.attn\.kpa\.', 'embedding.'),
            (r'^tpattention\.attn\.tpa\.gconv1\.', 'trajectory_prior.0.'),
            (r'^tpattention\.attn\.tpa\.gconv2\.', 'trajectory_prior.1.'),
            (r'\.gconv\.W$', '.conv.weight'),
            (r'\.gconv\.M$', '.conv.modulation'),
            (r'\.gconv\.adj2$', '.conv.learned_adjacency'),
            (r'\.gconv\.bias$', '.conv.bias'),
            (r'^(embedding|trajectory_prior\.\d)\.bn\.', r'\1.norm.'),
            (r'^kpattention\.attn\.Spatial_', 'spatial_'),
            (r'^tpattention\.attn\.Temporal_', 'temporal_'),
            (r'^kpattention\.(attn\.(?=norm1))?', 'spatial_blocks.0.'),
            (r'^tpattention\.(attn\.(?=norm1))?', 'temporal_blocks.0.'),
            (r'^Spatial_', 'spatial_'),
            (r'^Temporal_', 'temporal_'),
            (r'^([ST])TEblocks\.(\d+)\.', _count_on),
        ),
        settings=_settings,
        output_layers=('head.1',),
    )

    def __init__(
        self,
        skeleton: str | Skeleton = 'h36m17',
        num_frames: int = 243,
        embed_dims: int = 512,
        depth: int = 7,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ) -> None:
        skeleton = get_skeleton(skeleton)
        num_joints = skeleton.num_joints
        super().__init__(
            num_joints,
            num_frames,
            embed_dims,
            depth + 1,
            num_heads,
            mlp_ratio,
            drop_path,
        )
        joints = neighbour_mean_adjacency(num_joints, skeleton.segments)
        frames = neighbour_mean_adjacency(num_frames, pairwise(range(num_frames)))
        self.embedding = PriorLayer(2, embed_dims, joints)
        self.trajectory_prior = nn.Sequential(
            PriorLayer(embed_dims, embed_dims, frames),
            PriorLayer(embed_dims, embed_dims, frames),
        )
        for blocks in (self.spatial_blocks, self.temporal_blocks):
            blocks[0].norm1.eps = 1e-5

    def _embed_frames(self, x: Tensor) -> Tensor:
        return super()._embed_frames(x + self.trajectory_prior(x))
