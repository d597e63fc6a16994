"""Gradients that wait for their update, where a run accumulates several batches.

A checkpoint between two updates would lose what the batches since the last one have
contributed, and every process has contributed another part.
"""

from collections.abc import Sequence

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

Gradients = list[list[Tensor | None]]


def optim_wrappers(runner: Runner) -> list[OptimWrapper]:
    """Return all optimizers of a run: the model's, then those of hooks' networks.

    Args:
        runner: The Runner, in training.
    """
    wrappers = [runner.optim_wrapper, *map(_of_hook, runner.hooks)]
    return [
        wrapper
        for wrapper in wrappers
        if isinstance(wrapper, OptimWrapper)
        and not isinstance(wrapper, OptimWrapperDict)
    ]


def gather_gradients(wrappers: Sequence[OptimWrapper]) -> list[Gradients] | None:
    """Collect the waiting gradients of all processes; call it on each.

    Args:
        wrappers: As :func:`optim_wrappers` returns them.

    Returns:
        For each process, for each optimizer, a gradient or None for every parameter.
        None if no gradient waits, as after an update, and on all processes but the
        main one.
    """
    own = [_waiting(wrapper) for wrapper in wrappers]
    if not any(own):
        return None
    if not torch.distributed.is_initialized():
        return [own]
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    everyones: list[Gradients] | None = [[]] * world if rank == 0 else None
    torch.distributed.gather_object(own, everyones)
    return everyones


def restore_gradients(
    wrappers: Sequence[OptimWrapper], saved: Sequence[Gradients]
) -> None:
    """Put back what :func:`gather_gradients` has collected.

    Args:
        wrappers: Those of the resumed run.
        saved: The gradients of all processes.

    Raises:
        ValueError: the run has another number of processes, or other optimizers.
    """
    rank, world = 0, 1
    if torch.distributed.is_initialized():
        rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    if len(saved) != world:
        raise ValueError(
            f'cannot resume: the checkpoint was written between two updates by '
            f'{len(saved)} processes, and there are {world} now. Start as many'
        )
    expected = [len(_parameters(wrapper)) for wrapper in wrappers]
    for wrapper, gradients in zip(wrappers, saved[rank], strict=False):
        parameters = _parameters(wrapper)
        if gradients and len(gradients) != len(parameters):
            raise ValueError(
                f'cannot resume: the checkpoint has waiting gradients of '
                f'{len(gradients)} parameters, the optimizers have {expected}'
            )
        for parameter, gradient in zip(parameters, gradients, strict=False):
            if gradient is not None:
                parameter.grad = gradient.to(parameter.device)


def _of_hook(hook: Hook) -> OptimWrapper | None:
    """Return the optimizer of a hook that, as SEALHook, has a trainer of its own."""
    return getattr(getattr(hook, 'trainer', None), 'optim_wrapper', None)


def _parameters(wrapper: OptimWrapper) -> list[Tensor]:
    return [p for group in wrapper.optimizer.param_groups for p in group['params']]


def _waiting(wrapper: OptimWrapper) -> list[Tensor | None]:
    if wrapper._accumulative_counts == 1 or wrapper.should_update():
        return []
    return [
        None if p.grad is None else p.grad.detach().cpu() for p in _parameters(wrapper)
    ]
