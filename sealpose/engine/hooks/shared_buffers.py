"""All processes validate the model that is saved."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.engine.shared_buffers import share_buffers
from sealpose.registry import HOOKS


@HOOKS.register_module()
class SharedBuffersHook(Hook):
    """Lets all processes validate the model that is saved.

    In training each process keeps the running statistics of batch norm over its own
    share of the data. Before a validation all take those of the main process, which are
    also those in the checkpoint.
    Otherwise the score would be that of several models, each on a part of the data.
    """

    priority = 'LOW'  # After EMAHook, which exchanges the weights.

    def before_val_epoch(self, runner: Runner) -> None:
        """Copy the buffers of the main process."""
        share_buffers(runner.model)
