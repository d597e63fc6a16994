"""How strongly the energy pulls, compared with the losses of the pose-net."""

import torch
from torch import Tensor


class GradientBalance:
    """Running sizes of two gradients at the prediction, and the weight between them.

    Weighted so that the energy's gradient has ``ratio`` times the norm of that of the
    pose losses: the same number then means the same for every loss-net, objective and
    stage of the training. The norms are root mean squares over the last hundred or so
    iterations and all processes. Nothing is copied to the host.

    Args:
        momentum: Share of the past in the running means of the squared norms.
    """

    def __init__(self, momentum: float = 0.99) -> None:
        self.momentum = momentum
        # Of the pose losses and of the energy; that both begin at 0 cancels.
        self._running: Tensor | None = None

    def update(self, pose: Tensor, energy: Tensor) -> dict[str, Tensor]:
        """Take in the gradients of one iteration.

        Args:
            pose: Gradient of the pose losses at the prediction (B, T', J, 3).
            energy: Gradient of the mean energy there.

        Returns:
            ``gradient_ratio``, norm of the unweighted energy gradient over that of the
            pose losses, and ``gradient_cosine`` between the two; without gradient.
        """
        pose, energy = pose.detach().float(), energy.detach().float()
        squares = torch.stack([pose.square().sum(), energy.square().sum()])
        self._remember(squares)
        norm_pose, norm_energy = squares.sqrt().clamp(min=1e-20)
        return {
            'gradient_ratio': norm_energy / norm_pose,
            'gradient_cosine': (pose * energy).sum() / (norm_pose * norm_energy),
        }

    def weight(self, ratio: float) -> Tensor:
        """Return the weight that gives the energy ``ratio`` times the pose gradient."""
        pose, energy = self._running
        return ratio * (pose / energy.clamp(min=1e-30)).sqrt()

    def state_dict(self) -> dict:
        """Return the running sums; empty before the first update."""
        return {} if self._running is None else {'running': self._running.cpu()}

    def load_state_dict(self, state: dict) -> None:
        """Restore what ``state_dict`` returned."""
        self._running = state.get('running')

    def _remember(self, squares: Tensor) -> None:
        squares = _of_whole_batch(squares)
        if self._running is None:
            self._running = torch.zeros_like(squares)
        past = self._running.to(squares.device)
        running = past.lerp(squares, 1 - self.momentum)
        # One batch with NaN must not spoil the weight for the rest of the run.
        self._running = torch.where(running.isfinite().all(), running, past)


def _of_whole_batch(squares: Tensor) -> Tensor:
    """Squared norms over all processes, of the gradients of means over all of them."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return squares
    squares = squares.clone()
    torch.distributed.all_reduce(squares)
    # The mean over one of n shares has n times the gradient of the mean over all.
    return squares / torch.distributed.get_world_size() ** 2
