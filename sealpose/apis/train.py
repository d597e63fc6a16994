"""Train a pose-net from a config."""

from mmengine.config import Config
from mmengine.runner import Runner

from sealpose.apis.runner import build_runner
from sealpose.engine.resume import find_resumable


def build_trainer(cfg: Config) -> Runner:
    """Check everything and build the Runner whose ``train()`` does the work.

    With ``cfg.resume`` and no ``cfg.load_from``, it goes on from the newest checkpoint
    of ``cfg.work_dir`` that can be read; without any, it starts.

    Args:
        cfg: As :func:`load_config` returns it.

    Raises:
        ValueError: none of the checkpoints in ``cfg.work_dir`` can be read.
    """
    if cfg.get('resume') and cfg.get('load_from') is None:
        newest = find_resumable(cfg.work_dir)
        cfg.load_from = None if newest is None else str(newest)
    stages = ('train', 'val') if cfg.get('val_cfg') is not None else ('train',)
    return build_runner(cfg, *stages)
