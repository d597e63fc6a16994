"""From an arm to the config of one run, and its fingerprint."""

import copy
import hashlib
import inspect
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from sealpose.apis.config import load_config
from sealpose.study.spec import Arm, Study

ROOT = Path(__file__).parents[2]
# What neither the training nor the evaluation of a run depends on.
IRRELEVANT = {
    'work_dir', 'experiment_name', 'log_level', 'log_processor', 'visualizer',
    'resume', 'launcher', 'env_cfg', 'val_cfg', 'val_evaluator', 'test_cfg',
    'test_evaluator',
}  # fmt: skip
LOADERS = {'val_dataloader', 'test_dataloader'}
# Default hooks that log and save, and that distribute what is validated.
IRRELEVANT_HOOKS = {
    'timer', 'logger', 'checkpoint', 'plain_checkpoint', 'data_wait', 'preemption',
    'short_history', 'log_files', 'shared_buffers',
}  # fmt: skip
RUNNER_KEYS = set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}


def resolve(
    study: Study, arm: Arm, seed: int, values: Mapping[str, Any] | None = None
) -> Config:
    """Return the config of a run.

    Args:
        study: The study.
        arm: One of its arms.
        seed: Seed of the run.
        values: Dotted path to chosen value, from tuning.

    Raises:
        FileNotFoundError: there is no such config.
        ValueError: an override does not fit the config.
    """
    if arm.weights_of:
        cfg = resolve(study, study.arms[arm.weights_of], seed, values)
        _merge(cfg, arm.overrides, arm.name)
        return cfg
    name = arm.config or study.base
    path = ROOT / name
    cfg = load_config(path if path.is_file() else name)
    for options in (study.overrides, arm.overrides):
        _merge(cfg, options, arm.name)
    for dotted, value in (values or {}).items():
        set_value(cfg, dotted, value, arm.name)
    cfg.merge_from_dict({'randomness.seed': seed})
    # The study writes what resumption needs itself, and evaluates the last weights.
    cfg.merge_from_dict({'default_hooks.checkpoint': None})
    return cfg


def _merge(cfg: Config, options: Mapping[str, Any], arm: str) -> None:
    for option in options:
        key = option.split('.')[0]
        if key not in cfg and key not in RUNNER_KEYS:
            raise ValueError(
                f'arm {arm!r}, overrides: a config has no entry {key!r} that could '
                'matter'
            )
    try:
        # The merge takes `_delete_` out of what it is given.
        cfg.merge_from_dict(copy.deepcopy(dict(options)), allow_list_keys=True)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f'arm {arm!r}, overrides: {error}') from None


def set_value(cfg: Config, dotted: str, value: Any, arm: str) -> None:
    """Set an entry of a config by its path: ``custom_hooks.0.energy_weight``.

    Args:
        cfg: The config.
        dotted: Keys and indices of lists, joined by dots.
        value: The new value.
        arm: Named in the error.

    Raises:
        ValueError: nothing is there to hold the entry.
    """
    *parents, last = dotted.split('.')
    place = cfg._cfg_dict
    for key in parents:
        place = _child(place, key, dotted, arm)
    if isinstance(place, list):
        _child(place, last, dotted, arm)
        place[int(last)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise ValueError(f'arm {arm!r}: {dotted} is not in the config')


def _child(place: Any, key: str, dotted: str, arm: str) -> Any:
    try:
        return place[int(key)] if isinstance(place, list) else place[key]
    except (KeyError, IndexError, ValueError, TypeError):
        raise ValueError(
            f'arm {arm!r}: the config has no {key!r} on the way of {dotted}'
        ) from None


def grid(arm: Arm) -> list[dict[str, Any]]:
    """Return every combination of the values that an arm tunes."""
    return [
        dict(zip(arm.tune, values, strict=True))
        for values in itertools.product(*arm.tune.values())
    ]


def lengthen(cfg: Config, factor: float) -> None:
    """Train longer or shorter, with the schedules stretched alike.

    Args:
        cfg: The config; changed.
        factor: Of the number of epochs, or of iterations where those are counted.
    """
    key = 'max_epochs' if 'max_epochs' in cfg.train_cfg else 'max_iters'
    before = cfg.train_cfg[key]
    cfg.train_cfg[key] = max(1, round(factor * before))
    exact = cfg.train_cfg[key] / before
    schedulers = cfg.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        for entry in ('begin', 'end', 'T_max'):
            if scheduler.get(entry):
                scheduler[entry] = round(exact * scheduler[entry])
        if 'milestones' in scheduler:
            scheduler.milestones = [round(exact * m) for m in scheduler.milestones]


def fingerprint(cfg: Config, split: str | None = None, **more: Any) -> str:
    """Return a digest of everything that decides the outcome of a run.

    Args:
        cfg: The config.
        split: Split that is evaluated; None for the training alone.
        more: What else decides it.
    """
    left_out = IRRELEVANT | LOADERS - {f'{split}_dataloader'}
    entries = {
        key: value
        for key, value in cfg.to_dict().items()
        if key in RUNNER_KEYS - left_out or key in ('custom_imports', 'model')
    }
    hooks = entries.get('default_hooks', {})
    entries['default_hooks'] = {
        key: hook for key, hook in hooks.items() if key not in IRRELEVANT_HOOKS
    }
    entries = {'config': entries, 'split': split, **more}
    if split is not None and has_constant_bones(cfg):
        entries['constant_bones'] = True
    text = json.dumps(entries, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def has_constant_bones(cfg: Config) -> bool:
    """Whether the evaluation gives a sequence one set of bones.

    The rest of ``test_evaluator`` is the study's own matter.
    """
    return bool(cfg.test_evaluator.get('constant_bones', False))
