"""What to do when a cluster wants its machine back."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from sealpose.engine.epoch_loop import ResumableEpochLoop
from sealpose.engine.hooks.whole_checkpoint import INTERRUPTED, WholeCheckpointHook
from sealpose.registry import HOOKS

# Slurm sends SIGTERM to the step and to the job: twice, milliseconds apart.
ECHO_SECONDS = 3.0


class Preempted(SystemExit):
    """Ends a program with the exit code of a temporary failure, 75.

    A script that finds this code can submit the run once more, with ``--resume``.
    """

    def __init__(self) -> None:
        super().__init__(os.EX_TEMPFAIL)


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Saves and stops when a scheduler sends a signal.

    The iteration, or the validation, is finished first. ``interrupted.pth`` then holds
    the run as it is, ``--resume`` goes on as if nothing had happened, and the program
    ends with the exit code 75. A second signal, three seconds or more after the first,
    acts as if there were no hook. Signals are left alone where there is no
    :class:`WholeCheckpointHook` to save with, and where the loop could not go on in the
    middle of an epoch, as mmengine's own.

    Args:
        signals: Names of the signals.
        interval: Iterations between two looks at the signals of the other processes of
            a distributed run; all have to stop after the same one.
    """

    priority = 'LOWEST'  # The other hooks have done their work on the iteration.

    def __init__(
        self, signals: Sequence[str] = ('SIGTERM', 'SIGUSR1'), interval: int = 10
    ) -> None:
        self.signals = [signal.Signals[name] for name in signals]
        self.interval = interval
        self._received: str | None = None
        self._received_at = 0.0
        self._previous: dict[signal.Signals, Any] = {}
        self._checkpoints: WholeCheckpointHook | None = None
        self._group: Any = None

    def before_train(self, runner: Runner) -> None:
        """Listen to the signals."""
        if not _can_go_on_anywhere(runner.train_loop):
            return
        for hook in runner.hooks:
            if isinstance(hook, WholeCheckpointHook):
                self._checkpoints = hook
        if self._checkpoints is None:
            return
        if torch.distributed.is_initialized():
            # The flag is on the host: no GPU has to wait for it.
            self._group = torch.distributed.new_group(backend='gloo')
        if threading.current_thread() is threading.main_thread():
            self._previous = {
                each: signal.signal(each, self._note) for each in self.signals
            }

    def after_train_iter(
        self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any
    ) -> None:
        """Stop in the middle of an epoch."""
        if self._group is None or self.every_n_train_iters(runner, self.interval):
            by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
            done = batch_idx + 1 if by_epoch else 0
            self._stop_if_asked(runner, runner.iter + 1, done, validated=False)

    def after_val_epoch(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stop between two epochs."""
        # Not in a run that only validates, nor when all is done.
        if self._checkpoints is not None and runner.iter < runner.max_iters:
            self._stop_if_asked(runner, runner.iter, 0, validated=True)

    def after_train(self, runner: Runner) -> None:
        """Leave the signals to whom they belonged before."""
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._received is None:
            self._received = signal.Signals(number).name
            self._received_at = time.monotonic()
        elif time.monotonic() - self._received_at >= ECHO_SECONDS:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)
        self._previous = {}

    def _stop_if_asked(
        self, runner: Runner, iteration: int, batches_done: int, validated: bool
    ) -> None:
        if self._checkpoints is None or not self._asked():
            return
        # Returns on all processes when the file is written, so that none ends before:
        # its launcher would kill the others.
        self._checkpoints.save_interrupted(runner, iteration, batches_done, validated)
        self._restore()
        runner.logger.warning(
            f'{self._received or "Another process was signalled"}: stopped after '
            f'iteration {iteration} and saved {INTERRUPTED}; go on with --resume'
        )
        raise Preempted

    def _asked(self) -> bool:
        if self._group is None:
            return self._received is not None
        asked = torch.tensor(int(self._received is not None))
        torch.distributed.all_reduce(
            asked, torch.distributed.ReduceOp.MAX, group=self._group
        )
        return bool(asked)


def _can_go_on_anywhere(loop: Any) -> bool:
    return isinstance(loop, ResumableEpochLoop | IterBasedTrainLoop)
