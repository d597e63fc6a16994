"""Losses that are read from the device when the log is written, not before."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from sealpose.engine.log_interval import MOST_UNREAD, log_is_due
from sealpose.engine.partial_gradients import optim_wrappers
from sealpose.registry import HOOKS


@HOOKS.register_module()
class DeferredScalarsHook(RuntimeInfoHook):
    """mmengine's RuntimeInfoHook, without its wait for the device in every iteration.

    mmengine reads every loss after every iteration, and the norm of clipped gradients
    before every update; a GPU then idles while the next iteration is prepared. Here
    they stay on the device until the log is about to be written, and are read together.
    The log is the same. In between, ``runner.message_hub`` does not have them yet.
    """

    def __init__(self) -> None:
        self._unread: list[dict[str, Any]] = []
        self._norms: dict[str, Tensor] = {}
        self._clipping: list[tuple[Any, Callable]] = []

    def before_train(self, runner: Runner) -> None:
        """Take the norms of clipped gradients from now on."""
        super().before_train(runner)
        for wrapper in optim_wrappers(runner):
            if wrapper.clip_grad_kwargs:
                self._clipping.append((wrapper, wrapper.clip_func))
                wrapper.clip_func = self._keep_norm(wrapper.clip_func, wrapper)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Keep the scalars of an iteration, and hand over all if the log is due."""
        norms, self._norms = self._norms, {}
        self._unread.append({**norms, **(outputs or {})})
        if len(self._unread) >= MOST_UNREAD or log_is_due(runner, batch_idx):
            self._hand_over(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand over the rest, and leave the clipping to mmengine."""
        super().after_train(runner)
        self._hand_over(runner)
        while self._clipping:
            wrapper, clip = self._clipping.pop()
            wrapper.clip_func = clip

    def _keep_norm(self, clip: Callable, wrapper: Any) -> Callable:
        def clip_quietly(*args: Any, **kwargs: Any) -> None:
            # mmengine reads what this returns, unless it is None.
            norm = clip(*args, **kwargs)
            if norm is not None:
                self._norms[wrapper.grad_name] = norm

        return clip_quietly

    def _hand_over(self, runner: Runner) -> None:
        unread, self._unread = self._unread, []
        tensors = [
            value.detach().reshape(())
            for scalars in unread
            for value in scalars.values()
            if isinstance(value, Tensor)
        ]
        read = iter(_read(tensors))
        for scalars in unread:
            for name, value in scalars.items():
                scalar = next(read) if isinstance(value, Tensor) else value
                runner.message_hub.update_scalar(f'train/{name}', scalar)


def _read(scalars: list[Tensor]) -> list[float]:
    """Copy scalars from their device, all at once."""
    if not scalars:
        return []
    return torch.stack([scalar.to(scalars[0].device) for scalar in scalars]).tolist()
