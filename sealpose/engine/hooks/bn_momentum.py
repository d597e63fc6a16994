"""The batch-norm schedule of VideoPose3D."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from sealpose.registry import HOOKS


@HOOKS.register_module()
class BNMomentumHook(Hook):
    """Decays the momentum of batch norm exponentially over the run.

    Source: D. Pavllo et al., 3D human pose estimation in video with temporal
    convolutions and semi-supervised training, CVPR 2019.

    Args:
        start: Momentum in the first epoch.
        end: Momentum in the last epoch.
    """

    def __init__(self, start: float = 0.1, end: float = 0.001) -> None:
        self.start = start
        self.end = end

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the momentum of this epoch in every batch-norm layer."""
        progress = runner.epoch / max(runner.max_epochs - 1, 1)
        momentum = self.start * (self.end / self.start) ** progress
        for module in runner.model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.momentum = momentum
