"""What to do about NaN and infinity in training."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from sealpose.engine.fault_record import FaultRecord, Findings, name_windows
from sealpose.engine.fault_report import FaultReport, report_all, report_own
from sealpose.engine.log_interval import MOST_UNREAD, log_is_due
from sealpose.engine.partial_gradients import optim_wrappers
from sealpose.engine.resume import find_resumable
from sealpose.engine.step_guard import StepGuard, restore
from sealpose.engine.trained_networks import find_spoilt, networks, objectives
from sealpose.engine.unwrap import unwrap
from sealpose.registry import HOOKS

REMEDIES = {
    'batch': 'look at these samples: the files may hold NaN, or a transform or '
    'augmentation makes it. Leave them out (`valid` of PoseSequence), or repair them',
    'prediction': 'the batch was finite, so the weights or what they compute '
    'overflowed: lower the learning rate or warm it up, clip the gradients '
    '(optim_wrapper.clip_grad=dict(max_norm=1.0)), or train in float32',
    'objective': 'the energies overflowed in the ranking objective: lower the learning '
    "rate of the loss-net (SEALHook's optim_wrapper), clip its gradients, or train it "
    'in float32',
    'loss-net gradient': 'lower the learning rate of the loss-net, or train it in '
    'float32; an objective that divides or takes roots must not do so at 0',
    'loss': 'prediction and batch were finite, so the loss overflowed or divides by 0: '
    'look at how it is computed; for loss_energy, lower the learning rate of the '
    'loss-net or energy_weight',
    'pose-net gradient': 'all losses were finite: look for roots and norms of 0 in '
    'losses and backbone (torch.autograd.set_detect_anomaly(True) names the '
    'operation), lower the learning rate, or train in float32',
}
GRADIENTS = ('loss-net gradient', 'pose-net gradient')


class NonFiniteError(FloatingPointError):
    """NaN or infinity came up in training."""


@HOOKS.register_module()
class FiniteHook(Hook):
    """Notices NaN and infinity in training, says where they began, and keeps them out.

    Looks at every batch (the truth where there is some), prediction, loss, ranking
    objective of a loss-net, and at the gradients of all optimizers as they are applied.
    What it finds stays on the device and is read when the log is written and before a
    checkpoint is saved, together with a look at the weights, so that no checkpoint
    holds weights or optimizer states that are not finite.

    - ``stop`` raises :class:`NonFiniteError`: what was not finite first, in which
      iteration, on which process, in which samples, what to try, and the last good
      checkpoint. All processes raise it, after the same iteration. The
      weights may be spoilt since that iteration, so nothing is saved; go back to that
      checkpoint.
    - ``skip`` leaves out updates with such gradients: weights, optimizer states and
      statistics of batch norm stay what they were, bit for bit. ``skipped_updates`` in
      the log counts them, and a warning says as much as the error above. Schedules go
      on. See :class:`~sealpose.engine.step_guard.StepGuard` for what it costs.

    Args:
        policy: ``stop`` or ``skip``.
        max_in_a_row: With ``skip``, updates of an optimizer that may be left out in a
            row; more of them end the run when the log is written.

    Raises:
        ValueError: there is no such policy.
    """

    priority = 'VERY_HIGH'  # Before anything is logged, averaged or saved.

    def __init__(self, policy: str = 'stop', max_in_a_row: int = 10) -> None:
        if policy not in ('stop', 'skip'):
            raise ValueError(
                f"FiniteHook: policy must be 'stop' or 'skip', but got {policy!r}"
            )
        self.policy = policy
        self.max_in_a_row = max_in_a_row
        self._record = FaultRecord()
        self._watching: contextlib.ExitStack | None = None
        self._buffers: list[tuple[Tensor, Tensor]] = []
        self._in_a_row: Counter[str] = Counter()
        self._skipped = 0

    def before_train(self, runner: Runner) -> None:
        """Look at batches, predictions, objectives and gradients from now on."""
        model = unwrap(runner.model)
        self._watching = watching = contextlib.ExitStack()
        handle = model.data_preprocessor.register_forward_hook(self._see_batch)
        watching.callback(handle.remove)
        if hasattr(model, 'check_prediction'):
            self._watch_prediction(model)
        for objective in objectives(runner):
            handle = objective.register_forward_hook(self._see_objective)
            watching.callback(handle.remove)
        for wrapper in optim_wrappers(runner):
            stage = GRADIENTS[wrapper is runner.optim_wrapper]
            guard = StepGuard(
                wrapper.optimizer,
                lambda bad, stage=stage: self._record.note(stage, stage, bad),
                self.policy == 'skip',
            )
            watching.callback(guard.remove)

    def after_train(self, runner: Runner) -> None:
        """Look away."""
        self._watching.close()

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Begin the record of an iteration."""
        self._record.begin(runner.iter + 1)
        if self.policy == 'skip':
            buffers = [b for net in networks(runner) for b in net.buffers()]
            self._buffers = [(buffer, buffer.clone()) for buffer in buffers]

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        """Check the losses; read the record when it is time."""
        losses = {k: v for k, v in (outputs or {}).items() if isinstance(v, Tensor)}
        # Their sum can overflow where none of them does, so it stays, as the last.
        for name in sorted(losses, key=lambda name: name == 'loss'):
            bad = ~torch.isfinite(losses[name].detach()).all()
            self._record.note('loss', name, bad)
        bad = self._record.end()
        if self._buffers and bad is not None:
            restore(self._buffers, bad)
        if self._is_due(runner, batch_idx):
            self._judge(runner, everywhere=True)
            if self.policy == 'skip':
                hub = runner.message_hub
                hub.update_scalar('train/skipped_updates', self._skipped)

    def before_save_everywhere(self, runner: Runner) -> None:
        """Read the record before WholeCheckpointHook saves, on all processes.

        Raises:
            NonFiniteError: something was not finite since the last look.
        """
        self._judge(runner, everywhere=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Let nothing be saved that is not finite.

        Raises:
            NonFiniteError: weights or optimizer states hold NaN or infinity, or
                something else did since the last look.
        """
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return
        # The main process saves, and the others are not here to be asked.
        self._judge(runner, everywhere=False)
        spoilt = find_spoilt(runner)
        if spoilt:
            raise NonFiniteError(
                f'NaN or infinity in {spoilt}, found when a checkpoint was to be saved '
                f'after {runner.iter} iterations: an update overflowed. Nothing was '
                f'saved. To try: {REMEDIES["prediction"]}. {_way_back(runner)}'
            )

    def _watch_prediction(self, model: nn.Module) -> None:
        check = model.check_prediction

        def check_too(x: Tensor, pred: Tensor, target: Tensor) -> None:
            check(x, pred, target)
            self._record.note_prediction(pred)

        object.__setattr__(model, 'check_prediction', check_too)
        self._watching.callback(lambda: object.__delattr__(model, 'check_prediction'))

    def _see_batch(self, preprocessor: nn.Module, _: Any, batch: Any) -> None:
        # Validation goes through it as well.
        if preprocessor.training and isinstance(batch, dict):
            self._record.note_batch(batch)

    def _see_objective(self, objective: nn.Module, _: Any, value: Tensor) -> None:
        bad = ~torch.isfinite(value.detach()).all()
        self._record.note('objective', type(objective).__name__, bad)

    def _is_due(self, runner: Runner, batch_idx: int) -> bool:
        """Whether the log or a checkpoint is about to be written; same on all ranks."""
        return (
            log_is_due(runner, batch_idx)
            or self.is_last_train_iter(runner)
            or self.every_n_train_iters(runner, MOST_UNREAD)
            or any(
                isinstance(hook, CheckpointHook)
                and not hook.by_epoch
                and self.every_n_train_iters(runner, hook.interval)
                for hook in runner.hooks
            )
        )

    def _judge(self, runner: Runner, everywhere: bool) -> None:
        """Read the record, and stop or warn."""
        found = self._record.pop()
        if everywhere:
            report = report_all(found, next(runner.model.parameters()).device)
        else:
            report = report_own(found)
        if self.policy == 'skip':
            self._count(found)
            if report is not None:
                runner.logger.warning(self._describe(runner, report))
            stage, row = max(
                self._in_a_row.items(), key=lambda i: i[1], default=('', 0)
            )
            if row > self.max_in_a_row:
                raise NonFiniteError(
                    f'{row} updates in a row were skipped for a {stage} that is not '
                    f'finite; max_in_a_row of FiniteHook is {self.max_in_a_row}. '
                    f'The warnings above say what and where. {_way_back(runner)}'
                )
        elif report is not None:
            raise NonFiniteError(
                f'{self._describe(runner, report)} The weights may be spoilt since '
                f'then, so nothing was saved. {_way_back(runner)}'
            )

    def _count(self, found: Sequence[Findings]) -> None:
        for findings in found:
            for (stage, _), bad in findings.checks.items():
                if stage in GRADIENTS:
                    self._skipped += bad
                    self._in_a_row[stage] = self._in_a_row[stage] + 1 if bad else 0

    def _describe(self, runner: Runner, report: FaultReport) -> str:
        first = report.first
        (stage, name), *others = first.faults
        then = f', then in {", ".join(name for _, name in others)}' if others else ''
        count = report.iterations
        again = f' It came up in {count} iterations.' if count > 1 else ''
        what = f'{name} of the batch' if stage == 'batch' else name
        metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', {})
        return (
            f'NaN or infinity in iteration {first.iteration}'
            f'{_name_processes(report.processes)}: first in {what}{then}.'
            f'{again} Samples: {name_windows(first.windows, metainfo)}. To try: '
            f'{REMEDIES[stage]}.'
        )


def _name_processes(ranks: Sequence[int]) -> str:
    if not ranks:
        return ''
    plural = 'es' if len(ranks) > 1 else ''
    return f' on process{plural} {", ".join(map(str, ranks))}'


def _way_back(runner: Runner) -> str:
    """Say where the run can go on."""
    path = None
    with contextlib.suppress(ValueError):
        path = find_resumable(runner.work_dir)
    if path is None:
        return 'No checkpoint of this run was saved before'
    return (
        f'The last good checkpoint is {path}; change something, then go on from it '
        'with --resume, which meets the same batches. '
        "default_hooks.finite.policy='skip' leaves bad updates out instead"
    )
