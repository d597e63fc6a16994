"""How much of its time a training waits for data."""

import time
from collections.abc import Callable
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.engine.log_interval import log_is_due
from sealpose.registry import HOOKS


@HOOKS.register_module()
class DataWaitHook(Hook):
    """Logs ``data_share_percent``: the waiting for batches, of all time, in percent.

    Over the iterations since the log was last written, validation left out. mmengine's
    ``data_time`` holds what hooks do between two iterations, too; this is the time from
    the end of an iteration, hooks and all, to the next batch. On a GPU the share stays
    small while the data are fetched as fast as the GPU computes, since the host is
    ahead of it.
    """

    priority = 'NORMAL'  # Before LoggerHook.

    def __init__(self) -> None:
        self._waited = 0.0
        self._worked = 0.0
        self._left: float | None = None
        self._entered = 0.0

    def before_train(self, runner: Runner) -> None:
        """Watch the loop's iterations from now on."""
        loop = runner.train_loop
        loop.run_iter = self._timed(loop.run_iter)

    def after_train(self, runner: Runner) -> None:
        """Look away."""
        del runner.train_loop.run_iter

    def before_train_epoch(self, runner: Runner) -> None:
        """Count the start of the loader as waiting."""
        self._left = time.perf_counter()

    def before_val_epoch(self, runner: Runner) -> None:
        """Leave out a validation."""
        self._left = None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any
    ) -> None:
        """Hand over the share when the log is about to be written."""
        if not log_is_due(runner, batch_idx):
            return
        now = time.perf_counter()
        passed = self._waited + self._worked + now - self._entered
        share = self._waited / passed if passed else 0.0
        runner.message_hub.update_scalar('train/data_share_percent', 100 * share)
        self._waited = self._worked = 0.0
        self._entered = now

    def _timed(self, run_iter: Callable) -> Callable:
        def run_timed(*args: Any) -> None:
            """Run an iteration between two looks at the clock."""
            self._entered = time.perf_counter()
            if self._left is not None:
                self._waited += self._entered - self._left
            run_iter(*args)
            self._left = time.perf_counter()
            self._worked += self._left - self._entered

        return run_timed
