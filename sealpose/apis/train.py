"""Train a pose-net from a config."""

from mmengine.config import Config
from mmengine.runner import Runner

from sealpose.apis.runner import build_runner


def build_trainer(cfg: Config) -> Runner:
    """Check everything and build the Runner whose ``train()`` does the work.

    Args:
        cfg: As :func:`load_config` returns it.
    """
    stages = ('train', 'val') if cfg.get('val_cfg') is not None else ('train',)
    return build_runner(cfg, *stages)
