"""Checks gradients right before an optimizer applies them, and can take that back."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class StepGuard:
    """Stands between the gradients and an optimizer, whatever calls its ``step``.

    Gradients that a loss scaler throws away anyway are none of its business.

    Args:
        optimizer: Of torch, or like those.
        note: Called before each step with a bool scalar: the gradients are not finite.
        skip: Undo steps with such gradients: the parameters and all tensors of the
            optimizer's state are then what they were, bit for bit. That takes a copy of
            both in every iteration, and no wait for the device, except in the first
            step, and for optimizers that count steps on the host while they train on a
            GPU: choose ``fused=True`` or ``capturable=True`` there.
    """

    def __init__(
        self, optimizer: Optimizer, note: Callable[[Tensor], None], skip: bool
    ) -> None:
        self._note = note
        self._skip = skip
        self._bad: Tensor | None = None
        self._before: list[tuple[dict, Any, Tensor]] = []
        self._stepped: set[Tensor] = set()
        self._handles = [optimizer.register_step_pre_hook(self._before_step)]
        if skip:
            self._handles.append(optimizer.register_step_post_hook(self._after_step))

    def remove(self) -> None:
        """Leave the optimizer alone from now on."""
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        groups = optimizer.param_groups
        given = [p for group in groups for p in group['params'] if p.grad is not None]
        if not given:
            return
        bad = ~torch.isfinite(total_norm([p.grad for p in given]))
        # Loss scalers leave it to fused optimizers to drop gradients that overflowed.
        overflow = getattr(optimizer, 'found_inf', None)
        if overflow is not None:
            bad = bad & (overflow == 0).all()
        self._note(bad)
        if self._skip:
            self._keep(optimizer, given, bad)

    def _keep(self, optimizer: Optimizer, given: list[Tensor], bad: Tensor) -> None:
        if not self._stepped.issuperset(given):
            # The state is not there yet, so it could not be put back. Once, wait.
            if bool(bad):
                for parameter in given:
                    parameter.grad = None
                return
            self._stepped.update(given)
        self._bad = bad
        self._before = [({0: p}, 0, p.detach().clone()) for p in given]
        for state in (optimizer.state[p] for p in given if p in optimizer.state):
            self._before += [
                (state, name, value.clone())
                for name, value in state.items()
                if isinstance(value, Tensor)
            ]

    @torch.no_grad()
    def _after_step(self, *_: Any) -> None:
        before, self._before = self._before, []
        restore(((owner[name], value) for owner, name, value in before), self._bad)


def restore(pairs: Iterable[tuple[Tensor, Tensor]], bad: Tensor) -> None:
    """Give tensors their former values back if a flag on the device says so.

    Args:
        pairs: A tensor, changed in place, and its former value.
        bad: Scalar bool.
    """
    for live, former in pairs:
        flag = bad if bad.device == live.device else bad.to(live.device)
        live.detach().copy_(torch.where(flag, former, live))


def total_norm(gradients: list[Tensor]) -> Tensor:
    """Euclidean norm of all gradients together, which stays on the device."""
    if hasattr(torch.nn.utils, 'get_total_norm'):
        return torch.nn.utils.get_total_norm(gradients)
    return torch.stack([torch.linalg.vector_norm(g) for g in gradients]).norm()
