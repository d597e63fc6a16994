"""SEAL for mmengine's Runner: one block in a config switches it on."""

import logging
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from sealpose.engine.log_interval import log_is_due
from sealpose.engine.optimizer_type import check_optimizer_type
from sealpose.engine.shared_buffers import share_buffers
from sealpose.engine.unwrap import unwrap
from sealpose.registry import HOOKS
from sealpose.seal.arguments import (
    at_inference,
    check_all_labelled,
    check_learning,
    check_predictions,
    check_thinning,
    check_weight,
)
from sealpose.seal.build import (
    build_contrast,
    build_loss_net,
    build_loss_net_trainer,
    build_objective,
)
from sealpose.seal.energy_fn import EnergyFn
from sealpose.seal.energy_term import EnergyTerm
from sealpose.seal.fit import check_skeletons
from sealpose.seal.random_stream import derive_seed
from sealpose.seal.schedule import EnergyWeight, Ramp, follow_lr
from sealpose.seal.shared_pass import check_one_pass
from sealpose.seal.state import restore_seal_state, seal_state
from sealpose.seal.trainer import LossNetTrainer
from sealpose.seal.watch import EnergyWatch
from sealpose.skeletons import Skeleton


@HOOKS.register_module()
class SEALHook(Hook):
    """Trains a loss-net beside the model and adds its energy to the model's losses.

    Removing the hook from a config gives the baseline bit for bit. The loss-net and
    its optimizer are saved in the checkpoint under ``seal``, come back on resume, and
    are never built to validate or test. With a fixed seed, a resumed run continues bit
    for bit as if it had not stopped.

    The log gets ``loss_energy`` (the weighted energy that the pose-net minimises) and,
    as means over the iterations of the log's interval on the main process,
    ``seal_objective``, ``seal_energy_pred``, ``seal_energy_true``, ``seal_energy_gap``,
    ``seal_ranked_right``, ``seal_violated`` (see :meth:`LossNetTrainer.step`),
    ``seal_gradient_ratio`` and ``seal_gradient_cosine`` (see :class:`GradientBalance`),
    and ``seal_energy_weight``.

    Args:
        loss_net: Config of the loss-net; its skeleton is that of the model if it names
            none.
        energy_weight: Weight of the mean energy in the loss of the pose-net, as in
            published runs. What it does depends on the loss-net, the objective and the
            stage of the training.
        energy_ratio: Instead of a weight: norm of the energy's gradient at the
            prediction, as a share of the norm of the gradient of all other losses.
        energy_at: Which prediction of a batch has the energy. ``training``: the one of
            the other losses, in train mode. ``inference``: one more in eval mode, what
            the pose-net would say at test time, without dropout and with the running
            statistics of batch norm. It costs a second pass through the pose-net.
            ``auto``: that where the pose-net has dropout layers, else the first.
        deconflict: Take from the energy's gradient, joint by joint, the part that
            points against that of the other losses; see
            :class:`~sealpose.seal.energy_term.EnergyTerm`.
        objective: Config of the ranking objective; a static loss-net needs none.
        optim_wrapper: Config of the loss-net's optimizer wrapper; a static loss-net
            needs none. Without a ``type`` it has mixed precision if, and as, the model
            has.
        negatives: ``shared`` ranks the prediction that has the energy. ``fresh``
            predicts once more in eval mode for it, as the published code did.
        one_pass: Judge the prediction in the pass of the loss-net that learns from it:
            the energy is that before the update, with the loss-net's dropout. It spares
            the loss-net a pass forward and back, a quarter of its work or more.
        thinning: The loss-net sees, and the energy acts on, every so many-th window of
            a batch. It divides by as much what the loss-net costs, and at inference the
            second pass through the pose-net.
        contrast: What else is ranked: lists of configs, ``negatives`` from NEGATIVES
            and ``corrections`` from CORRECTIONS.
        updates: Updates of the loss-net in every iteration.
        warmup_iters: Iterations at the start in which the loss-net learns alone.
        schedule: Arguments of :class:`~sealpose.seal.schedule.Ramp`, which multiplies
            the weight or the ratio: ``dict(type='linear', begin=0, end=5000,
            start_factor=0., end_factor=1.)``.
        follow_lr: Scale the loss-net's learning rate as the schedulers scale that of
            the pose-net.
        static: Keep the loss-net as ``init`` has it.
        init: File with the loss-net's first weights: a checkpoint of a run with this
            hook, or a bare state dict.
        seed: Of the loss-net's weights and dropout. None derives it from the run's.

    Raises:
        ValueError: the arguments contradict each other.
    """

    priority = 'NORMAL'  # Before LoggerHook, which reads the figures.

    def __init__(
        self,
        loss_net: dict,
        energy_weight: float | None = None,
        objective: dict | None = None,
        optim_wrapper: dict | None = None,
        *,
        energy_ratio: float | None = None,
        energy_at: str = 'training',
        deconflict: bool = False,
        negatives: str = 'shared',
        one_pass: bool = False,
        thinning: int = 1,
        contrast: dict | None = None,
        updates: int = 1,
        warmup_iters: int = 0,
        schedule: dict | None = None,
        follow_lr: bool = False,
        static: bool = False,
        init: str | None = None,
        seed: int | None = None,
    ) -> None:
        check_learning(objective, optim_wrapper, static, init)
        check_weight(energy_weight, energy_ratio)
        check_predictions(negatives, energy_at, one_pass)
        check_thinning(thinning)
        self.loss_net = loss_net
        self.objective = objective
        self.optim_wrapper = optim_wrapper
        self.negatives = negatives
        self.energy_at = energy_at
        self.one_pass = one_pass
        self.thinning = thinning
        self.contrast = contrast or {}
        self.updates = updates
        self.follow_lr = follow_lr
        self.static = static
        self.init = init
        self.seed = seed
        ramp = Ramp(**schedule) if schedule else None
        by_ratio = energy_ratio is not None
        strength = energy_ratio if by_ratio else energy_weight
        self.energy_term = EnergyTerm(
            EnergyWeight(strength, warmup_iters, ramp), by_ratio, deconflict
        )
        self.trainer: LossNetTrainer | None = None
        self.energy_fn: EnergyFn | None = None
        self._watch = EnergyWatch()

    def check(self, model: nn.Module, dataset: Any) -> None:
        """Find faults of the config before a run writes its first file.

        Args:
            model: The pose-net.
            dataset: The training data.

        Raises:
            KeyError: an unknown loss-net, objective or optimizer.
            ValueError: the skeletons of loss-net, model and data differ, or ``init``
                does not fit, or ``one_pass`` is not possible.
        """
        loss_net = build_loss_net(self.loss_net, model.skeleton, 0, self.init)
        check_skeletons(loss_net, model, dataset)
        check_all_labelled(self.one_pass, getattr(dataset, 'labelled', None))
        if self.one_pass:
            check_one_pass(loss_net, self.updates)
        if self.objective is not None:
            build_objective(self.objective, model.skeleton)
        build_contrast(model.skeleton, **self.contrast)
        check_optimizer_type(self.optim_wrapper or {})

    def before_run(self, runner: Runner) -> None:
        """Build the loss-net, in a run that trains."""
        # The runner builds its optimizer wrapper for training only.
        if self.trainer is not None or not isinstance(
            runner.optim_wrapper, OptimWrapper
        ):
            return
        if self.seed is None:
            self.seed = derive_seed(runner.seed)
        # The pose-net's weights come after this from the global generator, which must
        # not notice that a loss-net was built.
        model = unwrap(runner.model)
        loss_net = build_loss_net(self.loss_net, model.skeleton, self.seed, self.init)
        check_skeletons(loss_net, model, runner.train_dataloader.dataset)
        loss_net = loss_net.to(torch.device(get_device()))
        self.trainer = self._build_trainer(loss_net, model.skeleton, runner)

    def before_train(self, runner: Runner) -> None:
        """Let the model call ``energy_fn``."""
        # Here rather than earlier: EMAHook deep-copies the model in before_run.
        self.attach(unwrap(runner.model))
        if not self.trainer.frozen:
            self.trainer.optim_wrapper.initialize_count_status(
                self.trainer.step_net, runner.iter, runner.max_iters
            )

    def attach(self, model: nn.Module) -> None:
        """Let a model call ``energy_fn``, or raise TypeError if it does not."""
        if not hasattr(model, 'energy_fn'):
            raise TypeError(
                f'SEALHook trains models that call their `energy_fn`, as PoseLifter '
                f'does, but {type(model).__name__} has no such attribute'
            )
        self.energy_fn = EnergyFn(
            self.trainer,
            self.energy_term,
            model,
            at_inference=at_inference(self.energy_at, model),
            fresh=self.negatives == 'fresh',
            one_pass=self.one_pass,
            thinning=self.thinning,
        )
        # Past nn.Module, which would look for parameters in it.
        object.__setattr__(model, 'energy_fn', self.energy_fn)

    def after_train(self, runner: Runner) -> None:
        """Take ``energy_fn`` away from the model."""
        object.__setattr__(unwrap(runner.model), 'energy_fn', None)
        self.energy_fn = None

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Note the iteration, and restart the loss-net's random stream from it.

        So a run that resumes anywhere draws what it would have drawn. Where the energy
        depends on statistics of batch norm, all processes take those of the main one:
        only these come back from a checkpoint.
        """
        self.energy_fn.iteration = runner.iter
        self.trainer.seed(derive_seed(self.seed, runner.iter, get_rank()))
        if self.energy_fn.at_inference:
            share_buffers(self.energy_fn.model)
        if self.follow_lr and not self.static:
            follow_lr(self.trainer.optim_wrapper, runner.optim_wrapper)

    def after_train_iter(self, runner: Runner, batch_idx: int, *args, **kwargs) -> None:
        """Hand the figures to the log when it is about to be written."""
        if log_is_due(runner, batch_idx):
            hub = runner.message_hub
            figures = self.energy_fn.figures.pop()
            figures['energy_weight'] = float(self.energy_term.weight(runner.iter))
            for name, value in figures.items():
                hub.update_scalar(f'train/seal_{name}', value)
            for warning in self._watch.update(figures):
                print_log(warning, 'current', logging.WARNING)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the loss-net and its optimizer, as tensors and plain values."""
        if self.trainer is not None:
            checkpoint['seal'] = seal_state(self.trainer, self.energy_term)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore loss-net and optimizer when a run resumes.

        Raises:
            ValueError: the checkpoint has no state of SEAL, or one that does not fit.
        """
        if self.trainer is not None and runner._resume:
            state = checkpoint.get('seal')
            restore_seal_state(state, self.trainer, self.energy_term)

    def _build_trainer(
        self, loss_net: nn.Module, skeleton: Skeleton, runner: Runner
    ) -> LossNetTrainer:
        if self.static:
            return LossNetTrainer(loss_net)
        return build_loss_net_trainer(
            loss_net,
            skeleton,
            runner.optim_wrapper,
            self.objective,
            self.optim_wrapper,
            self.contrast,
            self.updates,
        )
