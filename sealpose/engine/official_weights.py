"""Checkpoints as the authors of a backbone published them, turned into ours."""

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sealpose.models.backbones.official import OfficialWeights
from sealpose.registry import BACKBONES

StateDict = dict[str, Tensor]

# Where published checkpoints keep their weights; a file of weights alone has none.
CONTAINERS = ('model_pos', 'state_dict', 'model')
# Before 2.5 torch admits nothing but its own types.
_OLD_TORCH = (
    ''
    if hasattr(torch.serialization, 'safe_globals')
    else '. Files with numpy objects need torch 2.5 or later'
)


@dataclass(frozen=True)
class ImportedWeights:
    """Official weights under our names.

    Attributes:
        backbone: Config of the backbone that they fit.
        state_dict: Its weights.
        names: Official name to ours, for every tensor that was taken over.
        left_out: Official tensors that we compute instead.
    """

    backbone: dict[str, Any]
    state_dict: StateDict
    names: dict[str, str]
    left_out: tuple[str, ...]

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that the configs of the backbone load.

        Args:
            path: Where to.
        """
        weights = {f'backbone.{name}': value for name, value in self.state_dict.items()}
        meta = dict(backbone=self.backbone, official_names=self.names)
        torch.save(dict(state_dict=weights, meta=meta), path)


def import_official(
    backbone: str,
    path: str | Path,
    settings: dict[str, Any] | None = None,
    output_scale: float = 1.0,
) -> ImportedWeights:
    """Read a published checkpoint into the backbone of that name.

    Args:
        backbone: Registered name.
        path: The published file.
        settings: Constructor arguments that the shapes of the weights do not tell, or
            that replace what they tell.
        output_scale: Factor on the prediction: 0.001 for weights that predict
            millimetres.

    Raises:
        KeyError: no such backbone.
        FileNotFoundError: no such file.
        ValueError: the backbone has no published weights, or the file is damaged or
            does not match it to the last tensor.
    """
    official = _official(backbone)
    weights = read_official(path, official.parts)
    config = {**_settings(official, backbone, weights, path), **(settings or {})}
    model = BACKBONES.build({**config, 'type': backbone})
    matched = _match(weights, model, official, path)
    state = {ours: weights[theirs] for theirs, ours in matched.items()}
    for name, value in model.state_dict().items():
        # torch before 0.4.1 did not count the batches; the count plays no part here.
        if name.endswith('num_batches_tracked'):
            state.setdefault(name, value)
    model.load_state_dict(state, strict=True)
    _scale_output(model, official, output_scale)
    return ImportedWeights(
        backbone=dict(type=backbone, **config),
        state_dict=model.state_dict(),
        names=matched,
        left_out=tuple(key for key in weights if key not in matched),
    )


def read_official(
    path: str | Path, parts: tuple[tuple[str, str], ...] = ()
) -> StateDict:
    """Read the weights of a published checkpoint, out of their container.

    The file is read with ``weights_only=True``; besides torch's own, the numpy arrays,
    scalars and random states that published files hold are admitted.

    Args:
        path: The file.
        parts: As :class:`OfficialWeights` has them.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, holds other objects, or no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    try:
        with _admitting_numpy():
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises almost anything on damaged files
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f'{path} is not a readable checkpoint: {reason}{_OLD_TORCH}'
        ) from None
    if parts and isinstance(content, dict) and all(c in content for c, _ in parts):
        return {
            prefix + key: value
            for container, prefix in parts
            for key, value in _weights_in(content[container], path).items()
        }
    return _weights_in(content, path)


def _admitting_numpy() -> AbstractContextManager:
    if _OLD_TORCH:
        return nullcontext()
    return torch.serialization.safe_globals(_numpy_globals())


def _numpy_globals() -> list[Any]:
    """What the pickles of numpy's arrays, scalars and random states call."""
    generator = np.random.RandomState(0)
    functions = [
        generator.__reduce__()[0],
        generator.__reduce__()[1][0].__reduce__()[0],
        np.zeros(1).__reduce__()[0],
        np.float64(0).__reduce__()[0],
        # What numpy before 1.17 wrote for a random state.
        getattr(np.random, '__RandomState_ctor'),
    ]
    # Old files name numpy's core `numpy.core`, new ones `numpy._core`.
    renamed = [
        (
            function,
            f'{function.__module__}.{function.__name__}'.replace('_core', 'core'),
        )
        for function in functions
        if '_core' in function.__module__
    ]
    dtypes = [type(np.dtype(code)) for code in ('f4', 'f8', 'i4', 'i8', 'u4', 'u8')]
    return [
        *functions,
        *renamed,
        *dtypes,
        np.ndarray,
        np.dtype,
        np.random.MT19937,
        np.random.RandomState,
    ]


def _weights_in(content: Any, path: Path) -> StateDict:
    for container in CONTAINERS:
        if isinstance(content, dict) and isinstance(content.get(container), dict):
            content = content[container]
            break
    if not isinstance(content, dict) or not all(
        isinstance(value, Tensor) for value in content.values()
    ):
        raise ValueError(
            f'{path} holds no state dict: neither by itself nor under '
            f'{", ".join(CONTAINERS)}'
        )
    return {key.removeprefix('module.'): value for key, value in content.items()}


def _settings(
    official: OfficialWeights, backbone: str, weights: StateDict, path: str | Path
) -> dict[str, Any]:
    try:
        return official.settings(weights)
    except (KeyError, IndexError, ValueError) as error:
        reason = f'it has no {error}' if isinstance(error, KeyError) else error
        raise ValueError(
            f'{path} does not hold weights of {backbone} ({official.source}): {reason}'
        ) from None


def _official(backbone: str) -> OfficialWeights:
    official = getattr(BACKBONES.get(backbone), 'official', None)
    if official is None:
        known = sorted(
            name
            for name, part in BACKBONES.module_dict.items()
            if getattr(part, 'official', None) is not None
        )
        raise ValueError(
            f'there is no mapping of published weights to {backbone}; there is one '
            f'for {", ".join(known)}'
        )
    return official


def _match(
    weights: StateDict, model: nn.Module, official: OfficialWeights, path: str | Path
) -> dict[str, str]:
    """Map official names to ours; refuse anything but a complete match."""
    expected = model.state_dict()
    names = {key: _rename(key, official) for key in weights}
    constants = [
        key for key in names if any(re.search(p, key) for p in official.constants)
    ]
    _check_constants(constants, names, weights, model, path)
    names = {key: ours for key, ours in names.items() if key not in constants}
    taken = set(names.values())
    faults = [f'lacks {n}' for n in expected if n not in taken and not _is_count(n)]
    faults += [
        f'has {key} ({ours}), unknown to it'
        for key, ours in names.items()
        if ours not in expected
    ]
    faults += [
        f'has {key} of shape {tuple(weights[key].shape)} where it needs '
        f'{tuple(expected[ours].shape)}'
        for key, ours in names.items()
        if ours in expected and weights[key].shape != expected[ours].shape
    ]
    if len(taken) < len(names):
        faults.append('has several tensors for one of its parameters')
    if faults:
        more = f' and {len(faults) - 5} more differences' if len(faults) > 5 else ''
        raise ValueError(
            f'{path} does not match {type(model).__name__} ({official.source}); it '
            f'{"; ".join(faults[:5])}{more}. Settings that the shapes do not tell can '
            'be given as NAME=VALUE'
        )
    return names


def _rename(key: str, official: OfficialWeights) -> str:
    for pattern, replacement in official.renames:
        key = re.sub(pattern, replacement, key)
    return key


def _is_count(name: str) -> bool:
    return name.endswith('num_batches_tracked')


def _check_constants(
    constants: list[str],
    names: dict[str, str],
    weights: StateDict,
    model: nn.Module,
    path: str | Path,
) -> None:
    buffers = dict(model.named_buffers())
    for key in constants:
        ours = buffers.get(names[key])
        if ours is None:
            continue
        theirs = weights[key].to(ours.dtype)
        if ours.shape != theirs.shape or not torch.allclose(ours, theirs, atol=1e-6):
            raise ValueError(
                f'{path}: its constant {key} differs from the one computed for these '
                'settings; the skeleton or the number of frames is another one'
            )


@torch.no_grad()
def _scale_output(model: nn.Module, official: OfficialWeights, scale: float) -> None:
    if scale == 1:
        return
    if not official.output_layers:
        raise ValueError(
            f'the prediction of {type(model).__name__} cannot be scaled by its weights'
        )
    for name in official.output_layers:
        for parameter in model.get_submodule(name).parameters():
            parameter.mul_(scale)
