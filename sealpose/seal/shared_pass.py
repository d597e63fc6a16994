"""The energy's gradient at the poses, out of the backward pass of a ranking objective.

The backward pass of the objective already goes from the energies down to the poses. It
arrives there scaled: what comes to an energy E of one frame is w dE/dy, w being the
derivative of the objective by that energy. Where every energy depends on its own frame
alone, dividing by w gives dE/dy, to float rounding.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

# Stands for a derivative of 0, as of a hinge that is satisfied. It disappears in the
# rounding of any sum with the others, and as a power of two it costs no digit.
FAINT = 2.0**-70


class SharedPass:
    """Reads dE/dy from the backward pass that updates the loss-net.

    Args:
        poses: (K, B, T', J, 3), a leaf that requires a gradient.
        energies: (K, B, T') of them, before the backward pass.
        index: Which of the K.

    Raises:
        TypeError: the energies are in float16, whose range is too small.
    """

    def __init__(self, poses: Tensor, energies: Tensor, index: int) -> None:
        if energies.dtype == torch.float16:
            raise TypeError(
                'one_pass=True divides gradients by small numbers, which float16 does '
                'not have. Train the loss-net in bfloat16 or float32: '
                "optim_wrapper=dict(type='Bf16OptimWrapper', ...)"
            )
        self._poses = poses
        self._index = index
        self._energy = energies.detach()[index].to(poses.dtype).mean()
        self._weights: Tensor | None = None
        energies.register_hook(self._keep_weights)

    def _keep_weights(self, gradient: Tensor) -> Tensor:
        own = gradient[self._index]
        self._weights = torch.where(own.abs() < FAINT, FAINT, own)
        return torch.cat(
            [
                gradient[: self._index],
                self._weights[None],
                gradient[self._index + 1 :],
            ]
        )

    def energy_and_gradient(self) -> tuple[Tensor, Tensor]:
        """Return the mean energy and its gradient, after the backward pass.

        Returns:
            Scalar, and (B, T', J, 3).
        """
        gradient = self._poses.grad[self._index]
        weights = self._weights.to(gradient.dtype) * self._weights.numel()
        return self._energy, gradient / weights[..., None, None]


def check_one_pass(loss_net: nn.Module, updates: int) -> None:
    """Ask for what a shared pass needs.

    Args:
        loss_net: The loss-net.
        updates: Its updates in an iteration.

    Raises:
        ValueError: the loss-net mixes frames or samples, or there are several updates.
    """
    if updates != 1:
        raise ValueError(
            'one_pass=True takes the energy from the update of the loss-net, but got '
            f'{updates} updates in an iteration; set updates=1'
        )
    mixes = any(isinstance(module, _BatchNorm) for module in loss_net.modules())
    if mixes or not getattr(loss_net, 'frames_apart', False):
        raise ValueError(
            'one_pass=True needs a loss-net without batch norm whose energy of a frame '
            'depends on that frame alone, as its attribute `frames_apart = True` says, '
            f'but got {type(loss_net).__name__}. Set one_pass=False'
        )
