"""Compiled networks, switched on by one hook in a config."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from sealpose.engine.unwrap import unwrap
from sealpose.registry import HOOKS


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles the backbone of the pose-net, and the loss-net of SEALHook.

    Both are compiled in place, so checkpoints have the same keys with and without, and
    each can go on from the other's. The first steps take longer, as does the first
    batch of another size; the rest of the model, the losses and the hooks run as
    before. Dropout draws other random numbers than without compilation.

    Args:
        backbone: Compile the pose-net's backbone. One that trains through
            ``forward_train`` is compiled for validation alone.
        loss_net: Compile the loss-net, if a SEALHook trains one.
        backend: Compiler of ``torch.compile``.
        options: Further arguments of ``torch.compile``, such as ``mode``, ``dynamic``
            or ``fullgraph``.
    """

    priority = 'LOW'  # After the hooks that copy the model or build a loss-net.

    def __init__(
        self,
        backbone: bool = True,
        loss_net: bool = True,
        backend: str = 'inductor',
        **options: Any,
    ) -> None:
        self.backbone = backbone
        self.loss_net = loss_net
        self.options = dict(backend=backend, **options)

    def before_train(self, runner: Runner) -> None:
        """Let the networks be compiled when they are first called."""
        for network in self.networks(runner):
            network.compile(**self.options)

    def networks(self, runner: Runner) -> list[nn.Module]:
        """Return what is to be compiled.

        Raises:
            TypeError: the model has no backbone.
        """
        found = []
        if self.backbone:
            model = unwrap(runner.model)
            backbone = getattr(model, 'backbone', None)
            if backbone is None:
                raise TypeError(
                    'CompileHook compiles the attribute `backbone` of the model, as '
                    f'PoseLifter has it, but {type(model).__name__} has none. Set '
                    'backbone=False'
                )
            _note_own_training(backbone)
            found.append(backbone)
        if self.loss_net:
            trainers = (getattr(hook, 'trainer', None) for hook in runner.hooks)
            loss_nets = (getattr(trainer, 'loss_net', None) for trainer in trainers)
            found += [net for net in loss_nets if net is not None]
        return found


def _note_own_training(backbone: nn.Module) -> None:
    if hasattr(backbone, 'forward_train'):
        print_log(
            f'CompileHook: {type(backbone).__name__} trains through forward_train, '
            'which is not compiled',
            logger='current',
        )
