"""Configs: from a file, with the options of the command line."""

import sys
from pathlib import Path

from mmengine.config import Config


def load_config(
    path: str | Path, work_dir: str | None = None, cfg_options: dict | None = None
) -> Config:
    """Read a config file.

    A config is Python code and is run: use only those that you trust. The folder that
    the program was started in and the folder of the repository are importable, so that
    ``custom_imports = dict(imports='projects.my_backbone.my_backbone')`` works.

    Args:
        path: The config file.
        work_dir: Where the run writes; if neither this nor the config says, a folder
            like that of the config: ``work_dirs/seal/videopose_h36m``.
        cfg_options: Settings that replace those of the file, dotted keys allowed.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError: an option names a top-level key that the config does not have.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no config {path}')
    for folder in (Path.cwd(), Path(__file__).parents[2]):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    cfg = Config.fromfile(path, lazy_import=False)
    if cfg_options:
        _check_options(cfg, cfg_options)
        cfg.merge_from_dict(cfg_options)
    cfg.work_dir = work_dir or cfg.get('work_dir') or f'work_dirs/{config_name(cfg)}'
    return cfg


def config_name(cfg: Config) -> str:
    """Return the name of a config: its folder and file, ``seal/videopose_h36m``."""
    path = Path(cfg.filename).resolve()
    return f'{path.parent.name}/{path.stem}'


def _check_options(cfg: Config, options: dict) -> None:
    for option in options:
        key = option.split('.')[0]
        if key not in cfg:
            raise KeyError(
                f'--cfg-options {option}: the config has no {key!r}; it has '
                f'{", ".join(sorted(cfg.keys()))}'
            )
