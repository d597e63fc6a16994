"""All networks that a run trains, and whether they are still sound."""

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from sealpose.engine.partial_gradients import optim_wrappers
from sealpose.engine.unwrap import unwrap


def networks(runner: Runner) -> list[nn.Module]:
    """Return the model, and the networks that hooks train beside it."""
    trainers = (getattr(hook, 'trainer', None) for hook in runner.hooks)
    beside = [t.loss_net for t in trainers if hasattr(t, 'loss_net')]
    return [unwrap(runner.model), *beside]


def objectives(runner: Runner) -> list[nn.Module]:
    """Return what the networks of hooks minimise, as far as those are modules."""
    trainers = (getattr(hook, 'trainer', None) for hook in runner.hooks)
    minimised = (getattr(trainer, 'objective', None) for trainer in trainers)
    return [each for each in minimised if isinstance(each, nn.Module)]


def find_spoilt(runner: Runner) -> str:
    """Name the first tensor of weights or optimizer states that is not finite.

    Args:
        runner: The Runner, in training.

    Returns:
        Empty if all are finite.
    """
    tensors = [
        (f'{name} of {type(net).__name__}', value)
        for net in networks(runner)
        for name, value in net.state_dict().items()
    ]
    for wrapper in optim_wrappers(runner):
        for number, state in enumerate(wrapper.optimizer.state.values()):
            place = f'of parameter {number} in {type(wrapper.optimizer).__name__}'
            tensors += [(f'{key} {place}', value) for key, value in state.items()]
    named = [
        (name, ~torch.isfinite(value).all())
        for name, value in tensors
        if isinstance(value, Tensor) and value.is_floating_point()
    ]
    if not named:
        return ''
    device = next(unwrap(runner.model).parameters()).device
    bad = torch.stack([flag.to(device) for _, flag in named])
    return next(
        (name for (name, _), b in zip(named, bad.tolist(), strict=True) if b), ''
    )
