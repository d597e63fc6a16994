"""The networks as their authors publish them, built from clones of their repositories.

Nothing of them is part of this repository: clone what you want to compare into one
folder, under the names that official_pairs.py gives, and install torch_dct and scipy,
which some import. Modules that they import and do not need here are stood in for.
"""

import importlib.util
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn


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


def attribute(module: str, name: str) -> Any:
    """Take a class or function out of a module of the clone."""
    return getattr(importlib.import_module(module), name)


def file_attribute(file: str, name: str) -> Any:
    """Take a class out of a file whose package imports what is not needed here."""
    path = Path(sys.path[0]) / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
