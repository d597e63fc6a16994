"""A loss-net as a function of the poses of many frames, given their keypoints."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

# Frames that the loss-net sees at once: enough to be fast, little memory.
BATCH_FRAMES = 1024


@dataclass(frozen=True)
class Windows:
    """Which frames a loss-net sees together.

    Args:
        rows: (W, L) int64: frames of each window.
        own: (W, L) bool: each frame is the own one of exactly one window, which decides
            its energy.
    """

    rows: Tensor
    own: Tensor

    @classmethod
    def over(cls, sequence: Tensor, frame: Tensor, length: int) -> 'Windows':
        """Cut sequences into windows of consecutive frames.

        The last window of a run moves back to end with it; a run that is shorter than a
        window repeats its last frame.

        Args:
            sequence: (N,) int64: the sequence of each frame.
            frame: (N,) int64: its number in the sequence.
            length: Frames of a window.
        """
        same = (sequence.diff() == 0) & (frame.diff() == 1)
        bounds = [0, *(torch.nonzero(~same).flatten() + 1).tolist(), len(frame)]
        rows, own = [], []
        for start, end in pairwise(bounds):
            first = torch.arange(start, end, length)[:, None]
            begin = torch.minimum(first, torch.tensor(max(end - length, start)))
            inside = begin + torch.arange(length)
            rows.append(inside.clamp(max=end - 1))
            own.append((inside >= first) & (inside < end))
        return cls(torch.cat(rows), torch.cat(own))

    def frames(self) -> Tensor:
        """Return the frames that have an energy, in order."""
        return self.rows[self.own].sort().values

    def take(self, chosen: Tensor) -> tuple['Windows', Tensor]:
        """Keep some windows.

        Args:
            chosen: (V,) int64: which.

        Returns:
            The windows over the frames that they see alone, and those frames (M,).
        """
        rows, own = self.rows[chosen], self.own[chosen]
        seen, index = rows.unique(return_inverse=True)
        return Windows(index, own), seen


class EnergyField:
    """The energy of each frame, and its gradient, by the poses of all frames.

    The loss-net is put into eval mode; its parameters receive no gradient.

    Args:
        loss_net: ``(x (B, T', J, 2), y (B, T', J, 3)) -> (B, T')``.
        x: (N, J, 2), screen-normalised, on the device of the loss-net.
        windows: Which frames it sees together; None for each on its own.
    """

    def __init__(
        self, loss_net: nn.Module, x: Tensor, windows: Windows | None = None
    ) -> None:
        self.loss_net = loss_net.eval()
        for parameter in loss_net.parameters():
            parameter.requires_grad_(False)
        self.x = x
        if windows is None:
            rows = torch.arange(len(x))[:, None]
            windows = Windows(rows, torch.ones_like(rows, dtype=torch.bool))
        self.windows = windows

    def energy(self, y: Tensor) -> Tensor:
        """Return the energies.

        Args:
            y: (N, J, 3), metres, root-relative, camera axes.

        Returns:
            (N,); NaN for frames that no window calls its own.
        """
        energies = torch.full((len(y),), torch.nan, device=y.device)
        with torch.no_grad():
            for rows, own in self._batches():
                found = self.loss_net(self.x[rows], y[rows])
                energies[rows[own]] = found[own].float()
        return energies

    def gradient(self, y: Tensor) -> Tensor:
        """Return the gradient of the sum of a window's energies by its poses.

        Args:
            y: (N, J, 3), metres, root-relative, camera axes.

        Returns:
            (N, J, 3), energy per metre; NaN for frames that no window calls its own.
        """
        gradients = torch.full_like(y, torch.nan)
        for rows, own in self._batches():
            poses = y[rows].detach().requires_grad_()
            with torch.enable_grad():
                energies = self.loss_net(self.x[rows], poses)
            (found,) = torch.autograd.grad(energies.sum(), poses)
            gradients[rows[own]] = found[own]
        return gradients

    def _batches(self) -> list[tuple[Tensor, Tensor]]:
        size = max(BATCH_FRAMES // self.windows.rows.shape[1], 1)
        rows, own = (v.to(self.x.device) for v in vars(self.windows).values())
        return list(zip(rows.split(size), own.split(size), strict=True))
