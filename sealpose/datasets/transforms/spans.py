"""Stretches of frames in which keypoints are wrong or missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from sealpose.datasets.transforms.base import MASKED

FILLS = ('mask', 'last')


@dataclass(frozen=True)
class Spans:
    """Spans of a fixed duration, drawn independently for each joint.

    Attributes:
        active: Where a span runs, (B, T, J) bool.
        start: Which of the ``draws`` frames its span began in, (B, T, J) int64.
        draws: Frames in which a span may begin that reaches into the T frames.
    """

    active: Tensor
    start: Tensor
    draws: int

    def pick(self, values: Tensor) -> Tensor:
        """Give every frame of a span the value that was drawn where it began.

        Args:
            values: (B, draws, J).

        Returns:
            (B, T, J).
        """
        return values.gather(1, self.start)


def draw_spans(
    shape: Sequence[int], prob: float, duration: int, generator: Generator
) -> Spans:
    """Draw spans that cover a share ``prob`` of the frames on average.

    Args:
        shape: B, T, J.
        prob: Share of the frames, the first and last ones alike.
        duration: Frames of a span; where spans overlap, the later one counts.
        generator: Source of the random numbers.
    """
    batch, frames, joints = shape
    draws = frames + duration - 1
    rate = 1 - (1 - prob) ** (1 / duration)
    begins = uniform((batch, draws, joints), generator) < rate
    time = torch.arange(draws, device=begins.device)[:, None]
    start = torch.where(begins, time, -duration).cummax(1).values[:, duration - 1 :]
    active = time[duration - 1 :] - start < duration
    return Spans(active, start.clamp(min=0), draws)


def uniform(shape: Sequence[int], generator: Generator) -> Tensor:
    """Draw numbers from [0, 1) on the generator's device."""
    return torch.rand(tuple(shape), generator=generator, device=generator.device)


def hide(keypoints_2d: Tensor, hidden: Tensor, fill: str) -> Tensor:
    """Replace joints that are not seen; their confidence becomes 0.

    Args:
        keypoints_2d: (B, T, J, C), screen-normalised.
        hidden: (B, T, J) bool.
        fill: ``mask``, the centre of the image, or ``last``, where the joint was last
            seen; before it is first seen it is masked.
    """
    hidden = hidden.to(keypoints_2d.device)[..., None]
    position, confidence = keypoints_2d[..., :2], keypoints_2d[..., 2:]
    if fill == 'last':
        position = _last_seen(position, ~hidden)
    else:
        position = position.masked_fill(hidden, MASKED)
    return torch.cat([position, confidence.masked_fill(hidden, 0)], -1)


def _last_seen(position: Tensor, seen: Tensor) -> Tensor:
    time = torch.arange(position.shape[1], device=position.device)[:, None, None]
    last = torch.where(seen, time, -1).cummax(1).values
    held = position.gather(1, last.clamp(min=0).expand_as(position))
    return held.masked_fill(last < 0, MASKED)
