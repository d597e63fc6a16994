"""Pseudo-labels for unlabelled windows, from an average of the pose-net's past."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from sealpose.engine.unwrap import unwrap
from sealpose.geometry.flip import flip_pose
from sealpose.registry import HOOKS


@HOOKS.register_module()
class MeanTeacherHook(Hook):
    """Lets the model agree on unlabelled windows with an average of its own weights.

    The teacher is an exponential moving average of the backbone's weights. It predicts
    the unlabelled windows undisturbed, in eval mode, averaged with the mirrored
    prediction; the pose-net, which sees them with the model's ``augmentations`` and
    with dropout, is pulled towards that: ``loss_consistency``, the mean joint distance
    in metres. Its weight grows over ``warmup_iters`` as ``exp(-5 (1 - t)²)``. The
    teacher is saved in the checkpoint under ``mean_teacher``, comes back on resume, and
    is no part of the model: what is evaluated is the pose-net.

    Source: A. Tarvainen and H. Valpola, Mean teachers are better role models, NeurIPS
    2017, there for classes.

    Args:
        weight: Weight of the loss.
        decay: How much of the teacher stays in an iteration.
        warmup_iters: Iterations until the loss has its weight.
    """

    def __init__(
        self, weight: float = 1.0, decay: float = 0.99, warmup_iters: int = 1000
    ) -> None:
        self.weight = weight
        self.decay = decay
        self.warmup_iters = warmup_iters
        self.teacher: ExponentialMovingAverage | None = None
        self._state: dict | None = None
        self._mirror: tuple[int, ...] = ()
        self._iter = 0

    def check(self, model: nn.Module, dataset: Any) -> None:
        """Refuse data without unlabelled windows before a run writes its first file.

        Args:
            model: The pose-net.
            dataset: The training data.

        Raises:
            TypeError: the data set does not say which windows are labelled.
        """
        if not hasattr(dataset, 'labelled'):
            raise TypeError(
                'MeanTeacherHook teaches on unlabelled windows: it needs a training '
                f'data set of type FewLabels, but got {type(dataset).__name__}'
            )

    def before_train(self, runner: Runner) -> None:
        """Copy the backbone, or take the teacher of the checkpoint."""
        model = unwrap(runner.model)
        self.teacher = ExponentialMovingAverage(model.backbone, 1 - self.decay)
        self.teacher.eval().requires_grad_(False)
        if self._state is not None:
            self.teacher.load_state_dict(self._state)
        self._mirror = model.skeleton.mirror
        model.consistency_fn = self.consistency_fn

    def after_train(self, runner: Runner) -> None:
        """Take ``consistency_fn`` away from the model."""
        unwrap(runner.model).consistency_fn = None

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Note the iteration, which decides the weight."""
        self._iter = runner.iter

    def consistency_fn(self, keypoints_2d: Tensor, pred: Tensor) -> dict[str, Tensor]:
        """Return the loss of the unlabelled windows.

        Args:
            keypoints_2d: (U, T, J, 2), screen-normalised, before the augmentations.
            pred: Prediction of the pose-net, (U, T', J, 3), metres, root-relative.

        Returns:
            ``loss_consistency``.
        """
        with torch.no_grad():
            both = torch.cat([keypoints_2d, flip_pose(keypoints_2d, self._mirror)])
            straight, mirrored = self.teacher(both).chunk(2)
            pseudo_label = (straight + flip_pose(mirrored, self._mirror)) / 2
        distance = torch.linalg.vector_norm(pred - pseudo_label, dim=-1).mean()
        return dict(loss_consistency=self.weight_at(self._iter) * distance)

    def weight_at(self, iteration: int) -> float:
        """Weight of the loss in an iteration, counted from 0."""
        if iteration >= self.warmup_iters:
            return self.weight
        return self.weight * math.exp(-5 * (1 - iteration / self.warmup_iters) ** 2)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Move the teacher towards the pose-net."""
        self.teacher.update_parameters(unwrap(runner.model).backbone)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the teacher."""
        if self.teacher is not None:
            checkpoint['mean_teacher'] = self.teacher.state_dict()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the teacher of a checkpoint for when the run resumes.

        Raises:
            ValueError: the checkpoint has no teacher.
        """
        training = isinstance(runner.optim_wrapper, OptimWrapper)
        if not training or not runner._resume:
            return
        if 'mean_teacher' not in checkpoint:
            raise ValueError(
                'cannot resume: the checkpoint has no entry `mean_teacher`, so it '
                'comes from a run without MeanTeacherHook. Use it as `load_from` to '
                'start from its pose-net'
            )
        self._state = checkpoint['mean_teacher']
