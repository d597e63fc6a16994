"""How much the energy weighs in the pose-net's loss, by iteration."""

import math
from dataclasses import dataclass

from mmengine.optim import OptimWrapper


@dataclass(frozen=True)
class Ramp:
    """A factor that goes from one value to another between two iterations.

    Before ``begin`` it is ``start_factor``, from ``end`` on ``end_factor``.

    Args:
        end: Iteration at which the ramp is over.
        begin: Iteration at which it starts.
        type: ``linear``, or ``cosine`` for half a period of it.
        start_factor: Before the ramp.
        end_factor: After it.
    """

    end: int
    begin: int = 0
    type: str = 'linear'
    start_factor: float = 0.0
    end_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.type not in ('linear', 'cosine'):
            raise ValueError(
                f"schedule: type must be 'linear' or 'cosine', but got {self.type!r}"
            )
        if not 0 <= self.begin < self.end:
            raise ValueError(
                'schedule: 0 <= begin < end is needed, in iterations, but got begin='
                f'{self.begin} and end={self.end}'
            )

    def at(self, iteration: int) -> float:
        """Return the factor at an iteration."""
        progress = (iteration - self.begin) / (self.end - self.begin)
        progress = min(max(progress, 0.0), 1.0)
        if self.type == 'cosine':
            progress = (1 - math.cos(math.pi * progress)) / 2
        return self.start_factor + progress * (self.end_factor - self.start_factor)


@dataclass(frozen=True)
class EnergyWeight:
    """The weight of the energy: nothing in the warm-up, then a value times a ramp.

    Iterations count from the start of the run, warm-up included.

    Args:
        value: The weight that the ramp multiplies.
        warmup_iters: Iterations of weight 0 at the start, for the loss-net to learn.
        ramp: Factor by iteration; None is 1 throughout.
    """

    value: float
    warmup_iters: int = 0
    ramp: Ramp | None = None

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError(f'energy_weight must not be negative, got {self.value}')

    def at(self, iteration: int) -> float:
        """Return the weight at an iteration."""
        if iteration < self.warmup_iters:
            return 0.0
        return self.value * (self.ramp.at(iteration) if self.ramp else 1.0)


def follow_lr(follower: OptimWrapper, leader: OptimWrapper) -> None:
    """Scale one optimizer's learning rate as the schedulers have scaled another's.

    Args:
        follower: Of the loss-net.
        leader: Of the pose-net; its first group of parameters counts.
    """
    group = leader.param_groups[0]
    # Schedulers note where they began; without one the rate never changes.
    factor = group['lr'] / group.get('initial_lr', group['lr'])
    for each in follower.param_groups:
        each.setdefault('initial_lr', each['lr'])
        each['lr'] = each['initial_lr'] * factor
