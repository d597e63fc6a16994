"""The loss-net and the predictions of a run, from its config and checkpoint."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor, nn

from sealpose.analysis.poses import PoseSet, spread_evenly
from sealpose.apis.config import config_name
from sealpose.apis.preflight import build_model, fill_window, preflight
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.engine.checkpoint import read_checkpoint
from sealpose.evaluation.metrics.pose_metric import PoseMetric
from sealpose.seal.build import build_loss_net, build_objective
from sealpose.seal.loss_nets import LossNet

# So many at least, however long they are: frames of a window are alike.
FEWEST_WINDOWS = 64


@dataclass(frozen=True)
class Energy:
    """A trained loss-net.

    Args:
        loss_net: The loss-net.
        skeleton: Name of the skeleton that it scores.
        objective: What it learned from; None for one that never learned.
        frames: How many consecutive frames it is to see at once.
    """

    loss_net: nn.Module
    skeleton: str
    objective: nn.Module | None
    frames: int


def load_energy(cfg: Config, checkpoint: str | Path) -> Energy:
    """Build the loss-net of a config with SEALHook and give it its weights.

    Args:
        cfg: Config of the run that trained it.
        checkpoint: Checkpoint of that run.

    Raises:
        ValueError: the config has no SEALHook, or the checkpoint no loss-net, or
            another one.
    """
    hook = _find_hook(cfg)
    if 'seal' not in read_checkpoint(checkpoint):
        raise ValueError(
            f'{checkpoint} holds no loss-net: it has no entry `seal`, which runs with '
            'SEALHook write. Give the checkpoint of such a run with --loss-net'
        )
    model = build_model(cfg)
    skeleton = model.skeleton
    loss_net = build_loss_net(hook['loss_net'], skeleton, seed=0, init=str(checkpoint))
    objective = hook.get('objective')
    if objective is not None:
        objective = build_objective(objective, skeleton)
    frames = frames_at_once(loss_net, cfg, model.backbone)
    return Energy(loss_net, skeleton.name, objective, frames)


def _find_hook(cfg: Config) -> dict:
    hooks = [h for h in cfg.get('custom_hooks', []) if h['type'] == 'SEALHook']
    if not hooks:
        raise ValueError(
            f'the config {config_name(cfg)} has no SEALHook in custom_hooks, so there '
            'is no loss-net to analyse. Give the config of a run with SEAL, or name '
            'the one that the loss-net was trained with by --loss-net-config'
        )
    return hooks[0]


def frames_at_once(loss_net: nn.Module, cfg: Config, backbone: nn.Module) -> int:
    """Tell how many frames a loss-net is to see together: as many as in training.

    Args:
        loss_net: The loss-net.
        cfg: Config of the run that trained it.
        backbone: Of that run.
    """
    if isinstance(loss_net, LossNet) and type(loss_net).forward is LossNet.forward:
        return 1  # It scores frame by frame.
    dataset = copy.deepcopy(cfg.train_dataloader.dataset)
    fill_window(dataset, backbone, evaluate=False)
    return dataset.get('output_frames', 1)


def predict(
    cfg: Config, checkpoint: str | Path, split: str, max_frames: int, device: str
) -> PoseSet:
    """Predict a split as at test time.

    Args:
        cfg: Config of the pose-net.
        checkpoint: Its checkpoint.
        split: ``train``, ``val`` or ``test``.
        max_frames: About how many frames to predict, in windows that are evenly spread.
        device: Where the pose-net runs.

    Raises:
        ValueError: the data have no truth, or something does not fit.
    """
    cfg = copy.deepcopy(cfg)
    cfg.load_from, cfg.resume, cfg.custom_hooks = str(checkpoint), False, []
    dataset_cfg = copy.deepcopy(cfg[f'{split}_dataloader'].dataset)
    for key in ('stride', 'target_frames'):
        dataset_cfg.pop(key, None)
    cfg.test_dataloader.dataset = dataset_cfg
    dataset = preflight(cfg, 'test').datasets['test']
    meta = dataset.metainfo
    if not meta.get('has_truth', True):
        raise ValueError(
            f'{meta["dataset"]} has no 3D truth to compare energies with; choose a '
            'split or a data set that has'
        )
    model = build_model(cfg)
    weights = read_checkpoint(checkpoint)
    weights = weights.get('state_dict', weights)
    model.load_state_dict({k.removeprefix('module.'): v for k, v in weights.items()})
    count = max(-(-max_frames // dataset.output_frames), FEWEST_WINDOWS)
    windows = spread_evenly(len(dataset), count)
    batch_size = cfg.test_dataloader.get('batch_size', 1)
    frames = _predict_windows(
        model.to(device).eval(), dataset, windows.split(batch_size)
    )
    return _describe(frames, meta, model, config_name(cfg))


def _predict_windows(
    model: nn.Module, dataset: WindowDataset, batches: tuple[Tensor, ...]
) -> dict[str, Tensor]:
    collector = PoseMetric(measures=[])
    for windows in batches:
        batch = dataset.gather(windows)
        with torch.no_grad():
            collector.process(batch, model.test_step(batch))
    results = collector.results
    return {key: torch.cat([r[key] for r in results]) for key in results[0]}


def _describe(
    frames: dict[str, Tensor], meta: dict, model: nn.Module, name: str
) -> PoseSet:
    number, first = frames['frame_idx'].sort()
    sequences = meta['sequences']
    ends = torch.tensor([s['frames'] for s in sequences]).cumsum(0)
    sequence = torch.searchsorted(ends, number, right=True)
    clips = {}
    for entry in sequences:
        clips.setdefault((entry['subject'], entry['clip']), len(clips))
    clip = torch.tensor([clips[s['subject'], s['clip']] for s in sequences])
    begins = torch.cat([ends.new_zeros(1), ends[:-1]])
    return PoseSet(
        name=name,
        dataset=meta['dataset'],
        skeleton=model.skeleton,
        x=frames['keypoints_2d'][first],
        pred=frames['keypoints_3d_pred'][first],
        gt=frames['keypoints_3d_gt'][first],
        sequence=sequence,
        clip=clip[sequence],
        frame=number - begins[sequence],
        joints=meta.get('joints'),
    )
