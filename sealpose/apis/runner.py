"""mmengine's Runner, built from a config that passed the preflight."""

import inspect
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

import sealpose.engine  # noqa: F401, registers ResumableEpochLoop
from sealpose.apis.launch import prepare_launch
from sealpose.apis.preflight import preflight
from sealpose.engine.fused import fused_optimizer

STAGE_KEYS = {
    'train': ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler'),
    'val': ('val_dataloader', 'val_cfg', 'val_evaluator'),
    'test': ('test_dataloader', 'test_cfg', 'test_evaluator'),
}


def build_runner(cfg: Config, *stages: str) -> Runner:
    """Check a config and build the Runner of some of its stages.

    Nothing is written before everything was found to fit.

    Args:
        cfg: The config; ``cfg.work_dir`` is where the run writes.
        stages: ``train``, ``val``, ``test``.

    Raises:
        PermissionError: nothing can be written there.
    """
    ready = preflight(cfg, *stages)
    _check_writable(cfg.work_dir)
    left_out = {key for s in set(STAGE_KEYS) - set(stages) for key in STAGE_KEYS[s]}
    parts: dict[str, Any] = {
        key: cfg[key]
        for key in inspect.signature(Runner.__init__).parameters
        if key in cfg and key not in left_out
    }
    for stage, dataset in ready.datasets.items():
        # The data sets are large: hand them over instead of building them twice.
        parts[f'{stage}_dataloader'] = {
            **cfg[f'{stage}_dataloader'],
            'dataset': dataset,
        }
    parts['custom_hooks'] = ready.hooks
    if 'train' in stages:
        parts['train_cfg'] = _exact_loop(cfg.train_cfg)
        parts['optim_wrapper'] = _fused(cfg.optim_wrapper)
    prepare_launch(cfg)
    return Runner(**parts, cfg=cfg)


def _check_writable(folder: str) -> None:
    """Find out by writing: what the permissions say is not all there is to it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b'0')
    except OSError as error:
        raise PermissionError(
            f'the run cannot write to its work dir {folder}: {error}. Give another one '
            'with --work-dir'
        ) from error


def _exact_loop(train_cfg: dict) -> dict:
    """Take the loop that can go on in the middle of an epoch for mmengine's."""
    loop = dict(train_cfg)
    if 'type' not in loop and loop.get('by_epoch'):
        del loop['by_epoch']
        loop['type'] = 'ResumableEpochLoop'
    return loop


def _fused(optim_wrapper: dict) -> dict:
    config = dict(optim_wrapper)
    if 'optimizer' in config:
        device = torch.device(get_device())
        config['optimizer'] = fused_optimizer(config['optimizer'], device)
    return config
