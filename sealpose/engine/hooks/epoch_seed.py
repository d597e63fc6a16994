"""Random numbers that depend on the iteration, not on what ran before it."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.registry import HOOKS

# What the checkpoint says of the random state, since it holds none.
POLICY = 'seeded anew before each epoch and each iteration from (seed, number, rank)'


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seeds all random streams before each epoch and each iteration.

    The seed is made from that of the run, the number of the epoch or iteration, and the
    process. mmengine saves no random state; with this hook none is needed: a run that
    stops after any iteration and resumes ends in the same weights as one that never
    stopped. The seed of the epoch reaches the workers of the data loader.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed Python, numpy and torch."""
        torch.manual_seed(_seed_host(runner.seed, runner.epoch, get_rank()))

    def before_train_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Seed Python, numpy and torch."""
        # The 1 tells iterations from epochs.
        seed = _seed_host(runner.seed, runner.iter, get_rank(), 1)
        # torch.manual_seed would ask every kind of device that there might be, which
        # takes longer than all else here.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


def _seed_host(*entropy: int) -> int:
    """Seed Python and numpy, and return the seed for torch."""
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    return seed
