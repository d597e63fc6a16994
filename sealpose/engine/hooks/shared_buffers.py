"""All processes validate the model that is saved."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.engine.shared_buffers import share_buffers
from sealpose.engine.unwrap import unwrap
from sealpose.registry import HOOKS


@HOOKS.register_module()
class SharedBuffersHook(Hook):
    """Lets all processes validate the model that is saved.

    In training each process keeps the running statistics of batch norm over its own
    share of the data. Before a validation all take those of the main process, which are
    also those in the checkpoint.
    Otherwise the score would be that of several models, each on a part of the data.
    A model with ``losses_at_inference`` learns through these statistics, so that there
    all take them before each iteration, too: only these come back from a checkpoint.
    """

    priority = 'LOW'  # After EMAHook, which exchanges the weights.

    def before_val_epoch(self, runner: Runner) -> None:
        """Copy the buffers of the main process."""
        share_buffers(runner.model)

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Copy them where training depends on them, unless SEALHook does already."""
        model = unwrap(runner.model)
        energy_fn = getattr(model, 'energy_fn', None)
        shared = getattr(energy_fn, 'at_inference', False)
        if getattr(model, 'losses_at_inference', None) and not shared:
            share_buffers(model)
