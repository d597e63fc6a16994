"""The official networks that benchmarks/backbones.py compares with ours."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

import torch
from einops import rearrange
from official import Pair, attribute, file_attribute
from torch import Tensor, nn

from sealpose.skeletons import get_skeleton

H36M_PARENTS = get_skeleton('h36m17').parents
H36M16_PARENTS = get_skeleton('h36m16').parents


def _videopose(widths: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: attribute('common.model', 'TemporalModelOptimized1f')(
        17, 2, 17, widths, dropout=0.25, channels=1024
    )


def _chain(frames: int) -> list[int]:
    return [frame - 1 for frame in range(frames)]


def _adjacency(parents: Sequence[int], module: str = 'common.graph_utils') -> Tensor:
    edges = [(child, parent) for child, parent in enumerate(parents) if parent >= 0]
    from_edges = attribute(module, 'adj_mx_from_edges')
    return from_edges(len(parents), edges, sparse=False)


def _sem_gcn(parents: Sequence[int], groups: list | None = None) -> Callable:
    return lambda: attribute('models.sem_gcn', 'SemGCN')(
        _adjacency(parents), 128, num_layers=4, p_dropout=None, nodes_group=groups
    )


def _ktpformer(frames: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        network = attribute('common.model_ktpformer', 'KTPFormer')(
            _adjacency(H36M_PARENTS),
            _adjacency(_chain(frames)),
            num_frame=frames,
            embed_dim_ratio=512,
            depth=7,
            drop_path_rate=0.0,
        )
        # It adds in place to what its ReLU returns and torch keeps for the backward
        # pass; the same function, of which torch keeps the input.
        network.kpattention.attn.kpa.relu = nn.Threshold(0.0, 0.0)
        return network

    return build


def _poseformerv2(frames: int, kept: int) -> Callable[[], nn.Module]:
    args = Namespace(
        embed_dim_ratio=32,
        depth=4,
        number_of_kept_frames=kept,
        number_of_kept_coeffs=kept,
    )
    return lambda: attribute('common.model_poseformer', 'PoseTransformerV2')(
        num_frame=frames, drop_path_rate=0.0, args=args
    )


def _pstmo(frames: int, strides: list[int]) -> Callable[[], nn.Module]:
    args = Namespace(
        layers=3,
        channel=256,
        d_hid=512,
        frames=frames,
        stride_num=strides,
        n_joints=17,
        out_joints=17,
    )
    return lambda: attribute('model.stmo', 'Model')(args)


def _graphmlp(frames: int) -> Callable[[], nn.Module]:
    args = Namespace(
        layers=3, channel=512, d_hid=1024, token_dim=256, n_joints=17, frames=frames
    )
    return lambda: attribute('model.graphmlp', 'Model')(args)


def _motionagformer(layers: int, width: int, frames: int) -> Callable[[], nn.Module]:
    return lambda: attribute('model.MotionAGFormer', 'MotionAGFormer')(
        n_layers=layers,
        dim_in=3,
        dim_feat=width,
        num_heads=8,
        neighbour_num=2,
        n_frames=frames,
    )


def _dstformer(width: int, ratio: int) -> Callable[[], nn.Module]:
    return lambda: attribute('lib.model.DSTformer', 'DSTformer')(
        dim_feat=width,
        dim_rep=512,
        depth=5,
        num_heads=8,
        mlp_ratio=ratio,
        norm_layer=lambda dim: nn.LayerNorm(dim, eps=1e-6),
    )


def _jointformer() -> nn.Module:
    return attribute('models.jointformer', 'JointTransformer')(
        num_joints_in=17, d_model=64, d_inner=512, n_layers=4, intermediate=True
    )


def _with_confidence(network: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Let a network of x, y and confidence take x and y, with confidence 1."""

    class WithConfidence(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network()

        def forward(self, x: Tensor) -> Tensor:
            return self.network(torch.cat([x, torch.ones_like(x[..., :1])], -1))

    return WithConfidence


def _flat_to_pose(joints: int) -> Callable[[Tensor], Tensor]:
    return lambda y: y.view(len(y), 1, joints, 3)


def _channels_last(y: Any) -> Tensor:
    return rearrange(y[0], 'b c t j 1 -> b t j c')


PAIRS_OF_JOINTS = [
    [2, 3], [5, 6], [1, 4], [0, 7], [8, 9], [14, 15], [11, 12], [10, 13],
]  # fmt: skip
PAIRS = {
    'SimpleBaseline': Pair(
        'SimpleBaseline',
        '3d_pose_baseline_pytorch',
        lambda: file_attribute('src/model.py', 'LinearModel')(),
        joints=16,
        axes='b (t j c)',
        output=_flat_to_pose(16),
    ),
    'SemGCN': Pair(
        'SemGCN',
        'SemGCN',
        _sem_gcn(H36M_PARENTS),
        axes='(b t) j c',
        output=lambda y: y[:, None],
    ),
    'SemGCN non-local': Pair(
        'SemGCN',
        'SemGCN',
        _sem_gcn(H36M16_PARENTS, PAIRS_OF_JOINTS),
        joints=16,
        axes='(b t) j c',
        output=lambda y: y[:, None],
    ),
    'H3WB LargeSimpleBaseline': Pair(
        'LargeSimpleBaseline',
        'wholebody3d',
        lambda: attribute('models.LargeSimpleBaseline', 'model_LargeSimpleBaseline')(),
        joints=133,
        axes='b (t j c)',
        output=_flat_to_pose(133),
    ),
    'JointFormer': Pair(
        'JointFormer',
        'JointFormer',
        _jointformer,
        axes='(b t) j c',
        output=lambda y: y[0][-1][:, None],
    ),
    'VideoPose3D-27': Pair(
        'VideoPose3D', 'VideoPose3D', _videopose((3, 3, 3)), frames=27, batch=32
    ),
    'VideoPose3D-243': Pair(
        'VideoPose3D', 'VideoPose3D', _videopose((3,) * 5), frames=243, batch=8
    ),
    'PoseFormerV2 27/3/3': Pair(
        'PoseFormerV2',
        'PoseFormerV2',
        _poseformerv2(27, 3),
        frames=27,
        batch=32,
        settings=dict(num_frames=27),
    ),
    'PoseFormerV2 81/9/9': Pair(
        'PoseFormerV2',
        'PoseFormerV2',
        _poseformerv2(81, 9),
        frames=81,
        batch=16,
        settings=dict(num_frames=81),
    ),
    'P-STMO-S 27': Pair(
        'PSTMO',
        'P-STMO',
        _pstmo(27, [3, 3, 3]),
        frames=27,
        batch=32,
        axes='b c t j 1',
        output=_channels_last,
    ),
    'P-STMO-S 243': Pair(
        'PSTMO',
        'P-STMO',
        _pstmo(243, [3] * 5),
        frames=243,
        batch=4,
        axes='b c t j 1',
        output=_channels_last,
    ),
    'MixSTE-27': Pair(
        'MixSTE',
        'MixSTE',
        lambda: attribute('common.model_cross', 'MixSTE2')(
            num_frame=27, embed_dim_ratio=512, depth=8, drop_path_rate=0.0
        ),
        frames=27,
        batch=2,
    ),
    'KTPFormer-27': Pair('KTPFormer', 'KTPFormer', _ktpformer(27), frames=27, batch=2),
    'MotionAGFormer-XS': Pair(
        'MotionAGFormer',
        'MotionAGFormer',
        _with_confidence(_motionagformer(12, 64, 27)),
        frames=27,
        batch=4,
    ),
    'MotionAGFormer-B': Pair(
        'MotionAGFormer',
        'MotionAGFormer',
        _with_confidence(_motionagformer(16, 128, 81)),
        frames=81,
        batch=1,
    ),
    'DSTformer': Pair(
        'DSTformer',
        'MotionBERT',
        _with_confidence(_dstformer(512, 2)),
        frames=27,
        batch=2,
    ),
    'DSTformer lite': Pair(
        'DSTformer',
        'MotionBERT',
        _with_confidence(_dstformer(256, 4)),
        frames=27,
        batch=4,
    ),
    'GraphMLP-1': Pair('GraphMLP', 'GraphMLP', _graphmlp(1)),
    'GraphMLP-81': Pair('GraphMLP', 'GraphMLP', _graphmlp(81), frames=81),
}
