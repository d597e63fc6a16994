"""The networks as their authors publish them, built from clones of their repositories.

Nothing of them is part of this repository: clone what you want to compare into one
folder, under the names that ``PAIRS`` gives, and install torch_dct and scipy, which
some import. Modules that they import and do not need here are stood in for.
"""

import importlib.util
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from sealpose.skeletons import get_skeleton

H36M_PARENTS = get_skeleton('h36m17').parents
H36M16_PARENTS = get_skeleton('h36m16').parents


@dataclass(frozen=True)
class Pair:
    """An official network and what it takes to compare ours with it.

    Args:
        backbone: Our registered name.
        repository: Folder of the clone.
        build: Builds the official network; called with the clone importable.
        joints: Joints J.
        frames: Frames T of its window.
        batch: Windows in a timed batch.
        axes: Order of its input axes, in the notation of einops.
        output: Turns what it returns into (B, T', J, 3).
        settings: Arguments of ours that its weights do not tell.
    """

    backbone: str
    repository: str
    build: Callable[[], nn.Module]
    joints: int = 17
    frames: int = 1
    batch: int = 64
    axes: str = 'b t j c'
    output: Callable[[Any], Tensor] = lambda y: y
    settings: dict = field(default_factory=dict)

    def load(self, clones: Path) -> nn.Module:
        """Build the official network with random weights, none of them at rest."""
        folder = clones / self.repository
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no clone {folder}')
        with importable(folder):
            return randomise(self.build())

    def official_input(self, keypoints_2d: Tensor) -> Tensor:
        """Order the axes of (B, T, J, 2) as the official network wants them."""
        return rearrange(keypoints_2d, f'b t j c -> {self.axes}').contiguous()


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Make a clone importable; forget its modules afterwards, for names repeat."""
    with tempfile.TemporaryDirectory() as patched:
        for file in folder.rglob('*.py'):
            _copy_for_python3(file, Path(patched) / file.relative_to(folder))
        sys.path.insert(0, patched)
        known = set(sys.modules)
        sys.modules.update(_stand_ins())
        try:
            yield
        finally:
            sys.path.remove(patched)
            for name in set(sys.modules) - known:
                file = getattr(sys.modules[name], '__file__', None)
                if file is None or file.startswith(patched):
                    del sys.modules[name]


def _stand_ins() -> dict[str, ModuleType]:
    """Modules that the clones import; of them all drop path alone is used, and off."""
    used = {
        'timm': (),
        'timm.data': ('IMAGENET_DEFAULT_MEAN', 'IMAGENET_DEFAULT_STD'),
        'timm.models': (),
        'timm.models.helpers': ('load_pretrained',),
        'timm.models.layers': ('DropPath', 'to_2tuple', 'trunc_normal_'),
        'timm.models.registry': ('register_model',),
        # Other attentions that MixSTE can be built with.
        'common.rela': ('RectifiedLinearAttention',),
        'common.routing_transformer': ('KmeansAttention',),
        'common.linearattention': ('LinearMultiheadAttention',),
    }
    modules = {name: ModuleType(name) for name in used}
    for name, attributes in used.items():
        for attribute in attributes:
            setattr(modules[name], attribute, None)
    modules['timm.models.layers'].DropPath = nn.Identity
    modules['timm.models.layers'].trunc_normal_ = nn.init.trunc_normal_
    return modules


def _copy_for_python3(file: Path, target: Path) -> None:
    """Copy a file; SemGCN has an attribute ``nonlocal``, and ``reduce`` unimported."""
    text = file.read_text(encoding='utf-8', errors='replace')
    if 'reduce(' in text and '__future__' in text:
        text = re.sub(
            r'^(from __future__.*)$',
            r'\1\nfrom functools import reduce',
            text,
            flags=re.M,
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(re.sub(r'\.nonlocal\b', '.nonlocal_', text), encoding='utf-8')


@torch.no_grad()
def randomise(model: nn.Module) -> nn.Module:
    """Move every parameter and statistic away from its initial value."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point() or tensor.ndim == 0:
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith('running_var'):
            tensor.add_(0.1 * noise.abs())
        elif _is_adjacency(name):
            continue
        else:
            tensor.add_(0.02 * noise)
    return model


def _is_adjacency(name: str) -> bool:
    return name == 'A' or name.endswith('.adj')


def official_state(model: nn.Module) -> dict[str, Tensor]:
    """Return the state dict with the names that the published files have."""
    return {
        k.replace('nonlocal_', 'nonlocal'): v for k, v in model.state_dict().items()
    }


def _attribute(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _file_attribute(file: str, name: str) -> Any:
    """Take a class out of a file whose package imports what is not needed here."""
    path = Path(sys.path[0]) / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def _videopose(widths: tuple[int, ...]) -> Callable[[], nn.Module]:
    return lambda: _attribute('common.model', 'TemporalModelOptimized1f')(
        17, 2, 17, widths, dropout=0.25, channels=1024
    )


def _chain(frames: int) -> list[int]:
    return [frame - 1 for frame in range(frames)]


def _adjacency(parents: Sequence[int], module: str = 'common.graph_utils') -> Tensor:
    edges = [(child, parent) for child, parent in enumerate(parents) if parent >= 0]
    from_edges = _attribute(module, 'adj_mx_from_edges')
    return from_edges(len(parents), edges, sparse=False)


def _sem_gcn(parents: Sequence[int], groups: list | None = None) -> Callable:
    return lambda: _attribute('models.sem_gcn', 'SemGCN')(
        _adjacency(parents), 128, num_layers=4, p_dropout=None, nodes_group=groups
    )


def _ktpformer(frames: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        network = _attribute('common.model_ktpformer', 'KTPFormer')(
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
    return lambda: _attribute('common.model_poseformer', 'PoseTransformerV2')(
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
    return lambda: _attribute('model.stmo', 'Model')(args)


def _graphmlp(frames: int) -> Callable[[], nn.Module]:
    args = Namespace(
        layers=3, channel=512, d_hid=1024, token_dim=256, n_joints=17, frames=frames
    )
    return lambda: _attribute('model.graphmlp', 'Model')(args)


def _motionagformer(layers: int, width: int, frames: int) -> Callable[[], nn.Module]:
    return lambda: _attribute('model.MotionAGFormer', 'MotionAGFormer')(
        n_layers=layers,
        dim_in=3,
        dim_feat=width,
        num_heads=8,
        neighbour_num=2,
        n_frames=frames,
    )


def _dstformer(width: int, ratio: int) -> Callable[[], nn.Module]:
    return lambda: _attribute('lib.model.DSTformer', 'DSTformer')(
        dim_feat=width,
        dim_rep=512,
        depth=5,
        num_heads=8,
        mlp_ratio=ratio,
        norm_layer=lambda dim: nn.LayerNorm(dim, eps=1e-6),
    )


def _jointformer() -> nn.Module:
    return _attribute('models.jointformer', 'JointTransformer')(
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
        lambda: _file_attribute('src/model.py', 'LinearModel')(),
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
        lambda: _attribute('models.LargeSimpleBaseline', 'model_LargeSimpleBaseline')(),
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
        lambda: _attribute('common.model_cross', 'MixSTE2')(
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
