"""Checkpoints read without running anything, and matched to their model."""

from pathlib import Path
from typing import Any

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from sealpose.engine.download import download, is_url


def read_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict:
    """Read a checkpoint of tensors and plain values.

    Args:
        path: The file, or its address on the web (see :func:`download`).
        map_location: As in ``torch.load``.

    Raises:
        FileNotFoundError: there is no such file.
        ConnectionError: it cannot be downloaded.
        ValueError: the file is damaged, is no checkpoint, or holds objects that could
            run code.
    """
    path = download(str(path)) if is_url(path) else Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # torch raises almost anything on damaged files
        reason = _reason(error)
        raise ValueError(
            f'{path} is not a readable checkpoint (damaged, cut short, or holding '
            f'objects other than tensors and plain values): {reason}'
        ) from None
    if not isinstance(checkpoint, dict):
        raise ValueError(
            f'{path} holds a {type(checkpoint).__name__}, not a checkpoint'
        )
    return checkpoint


def _reason(error: Exception) -> str:
    """Take the line that says what is wrong out of torch's long advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    telling = (line.strip() for line in lines if 'unsupported' in line.lower())
    return next(telling, lines[0].removeprefix('Weights only load failed.').strip())


def check_state_dict(
    model: nn.Module,
    checkpoint: dict,
    path: str | Path,
    may_lack: tuple[str, ...] = (),
) -> None:
    """Refuse a checkpoint of another model.

    Args:
        model: The model that the weights are meant for.
        checkpoint: What :func:`read_checkpoint` returned.
        path: Named in the error.
        may_lack: Prefixes of keys that may be missing.

    Raises:
        ValueError: keys are missing, left over, or of another shape.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    weights = {key.removeprefix('module.'): value for key, value in weights.items()}
    expected = model.state_dict()
    faults = [
        f'lacks {key}'
        for key in expected
        if key not in weights and not key.startswith(may_lack)
    ]
    faults += [f'has the unknown {key}' for key in weights if key not in expected]
    faults += [
        f'has {key} of shape {tuple(weights[key].shape)}, the model needs '
        f'{tuple(value.shape)}'
        for key, value in expected.items()
        if key in weights and weights[key].shape != value.shape
    ]
    if faults:
        more = f' and {len(faults) - 3} more differences' if len(faults) > 3 else ''
        raise ValueError(
            f'{path} belongs to another model than this config: it '
            f'{"; ".join(faults[:3])}{more}. Give the config that it was trained with'
        )


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any) -> dict:
    """Replace mmengine's local loader, which unpickles freely before torch 2.6."""
    checkpoint = read_checkpoint(filename, map_location)
    # Runner.resume would execute the string under this key as a Python config.
    checkpoint.get('meta', {}).pop('config', None)
    return checkpoint


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location: Any) -> dict:
    """Replace mmengine's download, which unpickles freely on every torch."""
    return load_from_local(filename, map_location)
