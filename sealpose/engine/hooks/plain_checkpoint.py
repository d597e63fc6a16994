"""Checkpoints of tensors and plain values alone, which say what they are."""

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.engine.description import describe_run
from sealpose.registry import HOOKS


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Makes the Runner's checkpoints readable with ``weights_only=True``.

    mmengine stores its history of logged scalars as pickled objects, which torch 2.6
    and later refuse to resume from. The history serves only the smoothing of the log,
    so it is left out, and numpy values become Python's.

    ``meta`` gets what tells a checkpoint apart without its config: ``versions``,
    ``backbone`` (its config), ``skeleton`` and ``random_state``.
    """

    priority = 'LOWEST'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Reduce the checkpoint to tensors and plain values."""
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {}
        hub['runtime_info'] = _plain(hub['runtime_info'])
        hub['resumed_keys'] = {
            key: resumed
            for key, resumed in hub['resumed_keys'].items()
            if key in hub['runtime_info']
        }
        checkpoint['meta'] = _plain({**checkpoint['meta'], **describe_run(runner)})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    return value
