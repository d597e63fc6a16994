"""A checkpoint reduced to what a user of the pose-net needs."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sealpose.engine.checkpoint import read_checkpoint
from sealpose.engine.whole_files import write_whole

# What an export keeps of the description in `meta`; the first two are needed.
KEPT = ('backbone', 'skeleton', 'versions', 'official_names')


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        parameters: Numbers in the weights, buffers included.
        backbone: Config of the backbone.
        skeleton: Name of the skeleton.
        stripped: Entries of the checkpoint that were left out.
        bytes_before: Size of the checkpoint.
        bytes_after: Size of the export.
    """

    parameters: int
    backbone: dict[str, Any]
    skeleton: str
    stripped: tuple[str, ...]
    bytes_before: int
    bytes_after: int


def export_pose_net(
    checkpoint_path: str | Path,
    out: str | Path,
    backbone: dict[str, Any] | None = None,
    skeleton: dict[str, Any] | None = None,
) -> Export:
    """Write the pose-net of a checkpoint alone: weights, backbone, skeleton.

    Where a run averages its weights (EMAHook), a checkpoint's ``state_dict`` holds the
    average, and so does the export.

    Args:
        checkpoint_path: Checkpoint of a training.
        out: The file to write.
        backbone: Config of the backbone, for checkpoints that do not tell it.
        skeleton: As ``describe_skeleton`` returns it, likewise.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        OSError: ``out`` cannot be written.
        ValueError: the file is damaged, holds no pose-net, or does not tell which.
    """
    path = Path(checkpoint_path)
    checkpoint = read_checkpoint(path)
    weights = checkpoint.get('state_dict')
    if not isinstance(weights, dict) or not any(
        key.startswith('backbone.') for key in weights
    ):
        raise ValueError(
            f'{path} holds no pose-net: under `state_dict`, weights named `backbone.…` '
            f'were expected, but it has the entries {", ".join(map(str, checkpoint))}'
        )
    meta = checkpoint.get('meta', {})
    given = dict(backbone=backbone, skeleton=skeleton)
    meta = {**meta, **{key: value for key, value in given.items() if value is not None}}
    if not {'backbone', 'skeleton'} <= meta.keys():
        raise ValueError(
            f'{path} does not tell its backbone and skeleton, as those of earlier '
            'versions; give the config that it was trained with: --config CONFIG'
        )
    kept = {key: meta[key] for key in KEPT if key in meta}
    buffer = io.BytesIO()
    torch.save(dict(state_dict=dict(weights), meta=kept), buffer)
    write_whole(out, buffer.getvalue())
    return Export(
        parameters=sum(value.numel() for value in weights.values()),
        backbone=meta['backbone'],
        skeleton=meta['skeleton']['name'],
        stripped=tuple(key for key in checkpoint if key not in ('state_dict', 'meta')),
        bytes_before=path.stat().st_size,
        bytes_after=len(buffer.getvalue()),
    )
