"""Everything that can be found wrong before a run writes its first file."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import find_latest_checkpoint
from torch import nn
from torch.utils.data import Dataset

from sealpose.engine.checkpoint import check_state_dict, read_checkpoint
from sealpose.engine.optimizer_type import check_optimizer_type
from sealpose.registry import DATASETS, HOOKS, MODELS

# Frames that a backbone of any length predicts at once at test time: long enough that
# the frames around them cost little, short enough for a small memory.
EVAL_FRAMES = 256


@dataclass
class Preflight:
    """The parts of a run that were built and found to fit.

    Attributes:
        datasets: ``train``, ``val`` or ``test`` to its data set.
        hooks: The custom hooks.
    """

    datasets: dict[str, Dataset] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)


def preflight(cfg: Config, *stages: str) -> Preflight:
    """Build what the stages need, and try it on two windows.

    The windows of data sets that leave them open are filled in from the backbone, in
    ``cfg`` itself, so that the config that a run dumps says everything.

    Args:
        cfg: The config; ``model.backbone`` decides the windows.
        stages: Which data sets: ``train``, ``val``, ``test``.

    Raises:
        Exception: whatever is wrong: an unknown type, missing files, data that do not
            fit the model, a checkpoint of another model.
    """
    # A model for trial alone: the run's own is built by the Runner, from its seed.
    model = build_model(cfg)
    _check_checkpoint(cfg, model, training='train' in stages)
    if 'train' in stages:
        check_optimizer_type(cfg.optim_wrapper)
    ready = Preflight(hooks=[HOOKS.build(hook) for hook in cfg.get('custom_hooks', [])])
    for stage in stages:
        dataset_cfg = cfg[f'{stage}_dataloader'].dataset
        fill_window(dataset_cfg, model.backbone, evaluate=stage != 'train')
        dataset = DATASETS.build(dataset_cfg)
        if hasattr(dataset, 'check_backbone'):
            dataset.check_backbone(model.backbone)
        _try_model(model, dataset)
        ready.datasets[stage] = dataset
    for hook in ready.hooks:
        if hasattr(hook, 'check') and 'train' in stages:
            hook.check(model, ready.datasets['train'])
    return ready


def build_model(cfg: Config) -> nn.Module:
    """Build the model of a config, without a trace in the random streams.

    Args:
        cfg: The config.
    """
    init_default_scope(cfg.get('default_scope', 'sealpose'))
    with torch.random.fork_rng(devices=[]):
        return MODELS.build(cfg.model)


def fill_window(dataset: ConfigDict, backbone: nn.Module, *, evaluate: bool) -> None:
    """Set the window of a data set's config to what the backbone declares.

    Args:
        dataset: Config of the data set; left alone if it sets ``input_frames``.
        backbone: Declares ``num_frames``, ``seq2seq`` and perhaps ``any_length``.
        evaluate: Predict as many frames at once as the backbone can.
    """
    if 'input_frames' in dataset:
        return
    for name in ('num_frames', 'seq2seq'):
        if not hasattr(backbone, name):
            raise AttributeError(
                f'backbone {type(backbone).__name__} does not declare {name!r}; set '
                'self.num_frames (frames of its window) and self.seq2seq (True if it '
                'predicts each of them, False if only the centre one)'
            )
    frames = backbone.num_frames
    wanted = getattr(backbone, 'target_frames', None)
    if wanted is not None and not evaluate:
        dataset.target_frames = wanted
    if evaluate and getattr(backbone, 'any_length', False):
        context = 0 if backbone.seq2seq else frames - 1
        dataset.input_frames = EVAL_FRAMES + context
        dataset.output_frames = EVAL_FRAMES
    else:
        dataset.input_frames = frames
        dataset.output_frames = frames if backbone.seq2seq else 1


def _try_model(model: nn.Module, dataset: Dataset) -> None:
    if model.skeleton.name != dataset.skeleton.name:
        raise ValueError(
            f'the model predicts the skeleton {model.skeleton.name!r}, but '
            f'{type(dataset).__name__} has {dataset.skeleton.name!r}'
        )
    batch = dataset[0]
    x = batch['keypoints_2d'][None]
    truth = batch['keypoints_3d'][None]
    # A training target may hold frames around the predicted ones.
    around = (truth.shape[1] - len(batch['frame_idx'])) // 2
    truth = truth[:, around : truth.shape[1] - around]
    model.eval()
    try:
        with torch.no_grad():
            pred = model(x)
    except Exception as error:
        raise ValueError(
            f'the backbone {type(model.backbone).__name__} failed on an input of shape '
            f'{tuple(x.shape)} (batch, frames, joints, 2): {error}'
        ) from error
    model.check_prediction(x, pred, truth)


def _check_checkpoint(cfg: Config, model: nn.Module, *, training: bool) -> None:
    path = cfg.get('load_from')
    if path is None and cfg.get('resume') and Path(cfg.work_dir).is_dir():
        path = find_latest_checkpoint(cfg.work_dir)
    if path is None:
        return
    checkpoint = read_checkpoint(path)
    new_parts = getattr(model.backbone, 'new_parts', ())
    fresh = tuple(f'backbone.{part}' for part in new_parts) if training else ()
    check_state_dict(model, checkpoint, path, () if cfg.get('resume') else fresh)
    if cfg.get('resume') and not {'optimizer', 'meta', 'message_hub'} <= set(
        checkpoint
    ):
        raise ValueError(
            f'{path} holds weights only, no state of a training to resume; start from '
            f'its weights instead: --cfg-options load_from={path}'
        )
