"""How much of its time a training waits for data."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.engine.log_interval import log_is_due
from sealpose.registry import HOOKS


@HOOKS.register_module()
class DataWaitHook(Hook):
    """Logs ``data_share_percent``: the waiting for batches, of all time, in percent.

    Over the iterations since the log was last written, from the times that mmengine's
    IterTimerHook takes. On a GPU the share stays small while the data are fetched as
    fast as the GPU computes, since the host is ahead of it.
    """

    priority = (
        'NORMAL'  # After IterTimerHook, which is registered first; before the log.
    )

    def __init__(self) -> None:
        self._waited = 0.0
        self._passed = 0.0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any
    ) -> None:
        """Add up the times, and hand them over when the log is about to be written."""
        hub = runner.message_hub
        self._waited += hub.get_scalar('train/data_time').current()
        self._passed += hub.get_scalar('train/time').current()
        if log_is_due(runner, batch_idx):
            share = self._waited / self._passed if self._passed else 0.0
            hub.update_scalar('train/data_share_percent', 100 * share)
            self._waited = self._passed = 0.0
