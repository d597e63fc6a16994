"""One run of a study: train, evaluate the last weights, leave the figures.

A run has a folder: ``resume.pth`` while it trains, ``last.pth`` and ``training.json``
when it has trained, ``frames.npz`` and then ``result.json`` when it is done. All are
there whole or not at all, so that a run may be killed at any time.
"""

import contextlib
import gc
import json
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings
from torch import Tensor

from sealpose.apis.preflight import build_model, fill_window
from sealpose.apis.runner import build_runner
from sealpose.engine.checkpoint import check_state_dict, read_checkpoint
from sealpose.evaluation.files import whole_file
from sealpose.evaluation.functional.frame_metric import MM_PER_METRE
from sealpose.evaluation.metrics.pose_metric import PoseMetric
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import get_skeleton, sub_skeleton
from sealpose.study.environment import describe_environment
from sealpose.study.hook import StudyHook, save
from sealpose.study.resolve import has_constant_bones

SEQUENCE_TEXTS = ('subject', 'action', 'clip', 'camera')


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What a run needs to know; can be sent to another process.

    Attributes:
        label: What the run is called in messages.
        arm: Name of the arm.
        seed: Seed of the run.
        folder: Where it writes.
        config: The whole config, as a plain dict.
        split: Split of the evaluation.
        measures: Names from FRAME_METRICS.
        training_hash: Fingerprint of the training.
        result_hash: Fingerprint of training and evaluation.
        perturb: As in ``Arm``.
        init: Checkpoint to start from.
        weights: Folder of the run whose training this one has, if it does not train.
        checkpoint_seconds: As in ``Study``.
    """

    label: str
    arm: str
    seed: int
    folder: Path
    config: dict
    split: str
    measures: tuple[str, ...]
    training_hash: str
    result_hash: str
    perturb: float = 0.0
    init: Path | None = None
    weights: Path | None = None
    checkpoint_seconds: float = 120.0


def read_notes(path: Path) -> dict:
    """Return a JSON file of a run; nothing if it is not there."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return {}


def write_notes(path: Path, notes: Mapping) -> None:
    """Write a JSON file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(notes, indent=1) + '\n', encoding='utf-8')


def is_done(request: RunRequest) -> bool:
    """Whether the run has left its result, and with the same settings."""
    notes = read_notes(request.folder / 'result.json')
    return notes.get('result_hash') == request.result_hash


def training_seconds(training: Mapping) -> float:
    """Return how long a training took, as arms are to be compared.

    On a CPU that is processor time, which other programs do not lengthen.

    Args:
        training: The entries of training.json.
    """
    on_cpu = training['environment']['device'] == 'cpu'
    return training['cpu_seconds' if on_cpu else 'seconds']


def note_failure(request: RunRequest, error: str) -> None:
    """Leave a note that a run went wrong.

    Args:
        request: The run.
        error: What went wrong.
    """
    notes = dict(result_hash=request.result_hash, error=error)
    write_notes(request.folder / 'failed.json', notes)


def has_failed(request: RunRequest) -> bool:
    """Whether the run was tried last with just these settings, and went wrong."""
    notes = read_notes(request.folder / 'failed.json')
    return notes.get('result_hash') == request.result_hash and not is_done(request)


def execute(request: RunRequest) -> None:
    """Do a run, or what is left of it.

    Args:
        request: The run.

    Raises:
        Exception: whatever goes wrong in it.
    """
    if is_done(request):
        return
    describe_environment()  # now: the code may be edited while a run goes on
    # Line breaks in the config that mmengine dumps would take seconds of every run.
    cfg = Config(request.config, format_python_code=False)
    if 'custom_imports' in cfg:
        import_modules_from_strings(**cfg.custom_imports)
    request.folder.mkdir(parents=True, exist_ok=True)
    (request.folder / 'failed.json').unlink(missing_ok=True)
    training = read_notes(request.folder / 'training.json')
    if training.get('training_hash') != request.training_hash:
        training = _train(cfg, request)
    _evaluate(cfg, request, training)
    gc.collect()


def _train(cfg: Config, request: RunRequest) -> dict:
    folder = request.folder
    resume = folder / 'resume.pth'
    started = read_notes(folder / 'started.json')
    if started.get('training_hash') != request.training_hash:
        _empty(folder)
        write_notes(folder / 'started.json', {'training_hash': request.training_hash})
    cfg.work_dir = str(folder)
    # mmengine keeps loggers and histories by this name for the life of the process.
    cfg.experiment_name = f'{request.label}-{uuid.uuid4().hex[:8]}'.replace('/', '_')
    cfg.resume = resume.is_file()
    if cfg.resume or request.init is not None:
        cfg.load_from = str(resume if cfg.resume else request.init)
    runner = build_runner(cfg, 'train')
    hook = StudyHook(resume, request.checkpoint_seconds, request.perturb)
    runner.register_hook(hook)
    runner.train()
    save(runner, folder / 'last.pth', save_optimizer=False, save_param_scheduler=False)
    for handler in runner.logger.handlers:
        handler.close()
    training = dict(
        training_hash=request.training_hash,
        updates=runner.iter,
        epochs=runner.epoch,
        **hook.state,
        environment=describe_environment(),
    )
    write_notes(folder / 'training.json', training)
    resume.unlink(missing_ok=True)
    return training


def _empty(folder: Path) -> None:
    """Remove what a run with other settings has left."""
    # First what says that the rest is there.
    for name in ('result.json', 'training.json', 'started.json'):
        (folder / name).unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.name == 'log.txt':
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            with contextlib.suppress(FileNotFoundError):
                entry.unlink()


def _evaluate(cfg: Config, request: RunRequest, training: dict) -> None:
    start = time.perf_counter()
    predictions, meta = predict(cfg, request.folder / 'last.pth', request.split)
    arrays, joints = frame_figures(predictions, meta, request.measures)
    frames = request.folder / 'frames.npz'
    with whole_file(frames) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(file, **arrays)
    result = dict(
        arm=request.arm,
        seed=request.seed,
        result_hash=request.result_hash,
        **training,
        split=request.split,
        measures=list(request.measures),
        joints=joints,
        dataset=meta['dataset'],
        remarks=meta.get('remarks', ''),
        headline=meta.get('headline', 'action_mean'),
        evaluation_seconds=time.perf_counter() - start,
        config=json.loads(json.dumps(request.config, default=repr)),
    )
    write_notes(request.folder / 'result.json', result)


def predict(
    cfg: Config, checkpoint: Path, split: str
) -> tuple[dict[str, np.ndarray], dict]:
    """Predict every frame of a split, as tools/test.py does.

    Args:
        cfg: The config; the windows of its data set are filled in.
        checkpoint: The weights.
        split: ``val`` or ``test``.

    Returns:
        ``PoseMetric.predictions``, and the meta information of the data set.
    """
    model = build_model(cfg)
    weights = read_checkpoint(checkpoint)
    check_state_dict(model, weights, checkpoint)
    model.load_state_dict(weights['state_dict'])
    model = model.to(get_device()).eval()
    loader_cfg = cfg[f'{split}_dataloader']
    fill_window(loader_cfg.dataset, model.backbone, evaluate=True)
    loader = Runner.build_dataloader(loader_cfg, seed=0)
    metric = PoseMetric(measures=(), constant_bones=has_constant_bones(cfg))
    metric.dataset_meta = loader.dataset.metainfo
    with torch.no_grad():
        for batch in loader:
            metric.process(batch, model.test_step(batch))
    metric.evaluate(len(loader.dataset))
    return metric.predictions, loader.dataset.metainfo


def frame_figures(
    predictions: Mapping[str, np.ndarray], meta: Mapping, measures: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Measure every frame.

    Args:
        predictions: As :func:`predict` returns them.
        meta: Meta information of the data set.
        measures: Names from FRAME_METRICS.

    Returns:
        The entries of frames.npz: ``values/<measure>`` (N,) float32, ``lengths/
        <measure>`` (S,) values of each sequence, ``joints`` (S, J) float32 mean errors,
        mm, ``frames`` (S,), and the texts of the sequences (S,). And the names of the
        joints.
    """
    skeleton = get_skeleton(meta['skeleton'])
    joints = list(meta.get('joints', skeleton.joint_names))
    compared = [skeleton.index(joint) for joint in joints]
    if len(joints) < skeleton.num_joints:
        skeleton = sub_skeleton(skeleton, joints)
    frames = np.bincount(predictions['sequence'], minlength=len(meta['sequences']))
    pred, gt = (
        torch.from_numpy(predictions[key])[:, compared].split(frames.tolist())
        for key in ('keypoints_3d_pred', 'keypoints_3d_gt')
    )
    arrays = {key: predictions[key] for key in SEQUENCE_TEXTS}
    arrays['frames'] = frames
    arrays['joints'] = np.stack(
        [_joint_errors(p, y) for p, y in zip(pred, gt, strict=True)]
    )
    for measure in measures:
        function = FRAME_METRICS.get(measure)
        parts = [function(p, y, skeleton) for p, y in zip(pred, gt, strict=True)]
        arrays[f'values/{measure}'] = torch.cat(parts).float().numpy()
        arrays[f'lengths/{measure}'] = np.array([len(part) for part in parts])
    return arrays, joints


def _joint_errors(pred: Tensor, gt: Tensor) -> np.ndarray:
    error = torch.linalg.vector_norm(pred - gt, dim=-1).double().mean(0)
    return (MM_PER_METRE * error).float().numpy()
