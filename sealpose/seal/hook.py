"""SEAL for mmengine's Runner: one block in a config switches it on."""

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import get_rank, is_distributed
from mmengine.hooks import Hook, LoggerHook
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sealpose.registry import HOOKS, LOSS_NETS, RANKING_OBJECTIVES
from sealpose.seal.figures import FigureMeans
from sealpose.seal.fit import check_skeletons, load_weights
from sealpose.seal.random_stream import RandomStream, derive_seed
from sealpose.seal.schedule import EnergyWeight, Ramp
from sealpose.seal.trainer import LossNetTrainer
from sealpose.skeletons.build import build_for_skeleton

STATE_VERSION = 1


@HOOKS.register_module()
class SEALHook(Hook):
    """Trains a loss-net beside the model and adds its energy to the model's losses.

    Removing the hook from a config gives the baseline bit for bit. The loss-net and
    its optimizer are saved in the checkpoint under ``seal``, come back on resume, and
    are never built to validate or test. With epoch-based training and a fixed seed, a
    resumed run continues bit for bit as if it had not stopped.

    The log gets ``loss_energy`` (the weighted energy that the pose-net minimises) and,
    as means over the iterations of the log's interval on the main process,
    ``seal_objective``, ``seal_energy_pred``, ``seal_energy_true``, ``seal_energy_gap``
    and ``seal_ranked_right``, with the present ``seal_energy_weight``.

    Args:
        loss_net: Config of the loss-net; its skeleton is that of the model if it names
            none.
        energy_weight: Weight of the mean energy in the loss of the pose-net.
        objective: Config of the ranking objective; a static loss-net needs none.
        optim_wrapper: Config of the loss-net's optimizer wrapper; a static loss-net
            needs none. Without a ``type`` it has mixed precision if, and as, the model
            has.
        negatives: ``shared`` ranks the prediction that the pose-net is trained on.
            ``fresh`` predicts once more in eval mode for it, as the published code did.
        warmup_iters: Iterations at the start in which the loss-net learns alone.
        schedule: Arguments of :class:`~sealpose.seal.schedule.Ramp`, which multiplies
            ``energy_weight``: ``dict(type='linear', begin=0, end=5000,
            start_factor=0., end_factor=1.)``.
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
        energy_weight: float,
        objective: dict | None = None,
        optim_wrapper: dict | None = None,
        negatives: str = 'shared',
        warmup_iters: int = 0,
        schedule: dict | None = None,
        static: bool = False,
        init: str | None = None,
        seed: int | None = None,
    ) -> None:
        _check_arguments(objective, optim_wrapper, negatives, static, init)
        self.loss_net = loss_net
        self.objective = objective
        self.optim_wrapper = optim_wrapper
        self.negatives = negatives
        self.static = static
        self.init = init
        self.seed = seed
        ramp = Ramp(**schedule) if schedule else None
        self.energy_weight = EnergyWeight(energy_weight, warmup_iters, ramp)
        self.trainer: LossNetTrainer | None = None
        self._model: nn.Module | None = None
        self._figures = FigureMeans()
        self._iter = 0

    def check(self, model: nn.Module, dataset: Any) -> None:
        """Find faults of the config before a run writes its first file.

        Args:
            model: The pose-net.
            dataset: The training data.

        Raises:
            KeyError: an unknown loss-net or objective.
            ValueError: the skeletons of loss-net, model and data differ, or ``init``
                does not fit.
        """
        check_skeletons(self._build_loss_net(model), model, dataset)
        if self.objective is not None:
            RANKING_OBJECTIVES.build(self.objective)

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
        model = _unwrap(runner.model)
        loss_net = self._build_loss_net(model)
        check_skeletons(loss_net, model, runner.train_dataloader.dataset)
        device = torch.device(get_device())
        self.trainer = self._build_trainer(loss_net.to(device), runner)

    def before_train(self, runner: Runner) -> None:
        """Let the model call ``energy_fn``."""
        model = _unwrap(runner.model)
        if not hasattr(model, 'energy_fn'):
            raise TypeError(
                f'SEALHook trains models that call their `energy_fn`, as PoseLifter '
                f'does, but {type(model).__name__} has no such attribute'
            )
        if not self.trainer.frozen:
            self.trainer.optim_wrapper.initialize_count_status(
                self.trainer.step_net, runner.iter, runner.max_iters
            )
        self._model = model
        # Here rather than earlier: EMAHook deep-copies the model in before_run.
        object.__setattr__(model, 'energy_fn', self.energy_fn)

    def after_train(self, runner: Runner) -> None:
        """Take ``energy_fn`` away from the model."""
        object.__setattr__(_unwrap(runner.model), 'energy_fn', None)
        self._model = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Restart the loss-net's random stream, so that a resumed run has the same."""
        self.trainer.seed(derive_seed(self.seed, runner.epoch, get_rank()))

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Note the iteration, which decides the weight of the energy."""
        self._iter = runner.iter

    def energy_fn(self, x: Tensor, pred: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Train the loss-net on a batch and return the energy for the pose-net.

        Args:
            x: 2D keypoints (B, T', J, 2) of the predicted frames, screen-normalised.
            pred: (B, T', J, 3), metres, root-relative, camera axes.
            target: True poses, like ``pred``.

        Returns:
            ``loss_energy``, or nothing while the energy has no weight.
        """
        figures = {}
        if not self.static:
            fresh = self.negatives == 'fresh'
            negative = self._model.predict_fresh() if fresh else pred
            figures = self.trainer.step(x, negative, target)
        weight = self.energy_weight.at(self._iter)
        losses = {}
        if weight > 0:
            energy = self.trainer.energy(x, pred)
            losses['loss_energy'] = weight * energy
            figures.setdefault('energy_pred', energy.detach())
        if figures:
            self._figures.add(figures)
        return losses

    def after_train_iter(self, runner: Runner, batch_idx: int, *args, **kwargs) -> None:
        """Hand the figures to the log when it is about to be written."""
        loggers = (hook for hook in runner.hooks if isinstance(hook, LoggerHook))
        if any(
            self.every_n_inner_iters(batch_idx, hook.interval) for hook in loggers
        ) or (self.end_of_epoch(runner.train_dataloader, batch_idx)):
            hub = runner.message_hub
            for name, value in self._figures.pop().items():
                hub.update_scalar(f'train/seal_{name}', value)
            weight = self.energy_weight.at(runner.iter)
            hub.update_scalar('train/seal_energy_weight', weight)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the loss-net and its optimizer, as tensors and plain values."""
        if self.trainer is not None:
            checkpoint['seal'] = dict(
                version=STATE_VERSION, **self.trainer.state_dict()
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore loss-net and optimizer when a run resumes.

        Raises:
            ValueError: the checkpoint has no state of SEAL, or one that does not fit.
        """
        if self.trainer is None or not runner._resume:
            return
        state = checkpoint.get('seal')
        if state is None:
            raise ValueError(
                'cannot resume: the checkpoint has no entry `seal`, so it comes from a '
                'run without SEALHook. Use it as `load_from` to start from its '
                'pose-net, or resume with the config that wrote it'
            )
        if state['version'] != STATE_VERSION:
            raise ValueError(
                f'cannot resume: the entry `seal` has version {state["version"]}, this '
                f'program reads version {STATE_VERSION}'
            )
        try:
            self.trainer.load_state_dict(state)
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                'cannot resume: the entry `seal` of the checkpoint does not fit the '
                f'loss-net and optimizer of this config: {error}'
            ) from error

    def _build_loss_net(self, model: nn.Module) -> nn.Module:
        seed = 0 if self.seed is None else self.seed
        with RandomStream(seed).active(torch.device(get_device())):
            loss_net = build_for_skeleton(LOSS_NETS, self.loss_net, model.skeleton)
        if self.init is not None:
            load_weights(loss_net, self.init)
        return loss_net

    def _build_trainer(self, loss_net: nn.Module, runner: Runner) -> LossNetTrainer:
        if self.static:
            return LossNetTrainer(loss_net)
        config = dict(self.optim_wrapper)
        model_wrapper = runner.optim_wrapper
        if 'type' not in config and isinstance(model_wrapper, AmpOptimWrapper):
            config.update(type=type(model_wrapper), dtype=model_wrapper.cast_dtype)
        optim_wrapper = build_optim_wrapper(loss_net, config)
        if hasattr(optim_wrapper, 'grad_name'):
            # mmengine would log it under the name of the model's gradient.
            optim_wrapper.grad_name = f'seal_{optim_wrapper.grad_name}'
        objective = RANKING_OBJECTIVES.build(self.objective)
        return LossNetTrainer(loss_net, objective, optim_wrapper, _distribute(loss_net))


def _check_arguments(
    objective: dict | None,
    optim_wrapper: dict | None,
    negatives: str,
    static: bool,
    init: str | None,
) -> None:
    if negatives not in ('shared', 'fresh'):
        raise ValueError(
            f"SEALHook: negatives must be 'shared' or 'fresh', but got {negatives!r}"
        )
    if static and init is None:
        raise ValueError(
            'SEALHook: static=True keeps a pretrained loss-net as it is, so `init` has '
            'to name its checkpoint'
        )
    if not static and (objective is None or optim_wrapper is None):
        raise ValueError(
            'SEALHook: a loss-net that trains needs `objective` and `optim_wrapper`, '
            f'but got {objective=} and {optim_wrapper=}'
        )


def _unwrap(model: nn.Module) -> nn.Module:
    return model.module if is_model_wrapper(model) else model


def _distribute(loss_net: nn.Module) -> nn.Module:
    if not is_distributed():
        return loss_net
    device = next(loss_net.parameters()).device
    return DistributedDataParallel(
        loss_net,
        device_ids=[device] if device.type == 'cuda' else None,
        broadcast_buffers=False,
    )
