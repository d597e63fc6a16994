"""The logged scalars of the last iterations, instead of all."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sealpose.registry import HOOKS


@HOOKS.register_module()
class ShortHistoryHook(Hook):
    """Forgets old values of the logged scalars.

    mmengine keeps the last million of each in memory, and copies them all whenever one
    is added: every iteration takes longer than the one before. The log needs the last
    ten, or as many as ``log_processor`` averages over; where that is more than
    ``length``, the mean is over ``length``.

    Args:
        length: Values to keep of each scalar.

    Raises:
        ValueError: ``length`` is not positive.
    """

    priority = 'LOWEST'  # After all that logs something.

    def __init__(self, length: int = 10_000) -> None:
        if length < 1:
            raise ValueError(
                f'ShortHistoryHook: length must be at least 1, but got {length}'
            )
        self.length = length

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Shorten the history of scalars that are new, and let it stay short."""
        for history in runner.message_hub.log_scalars.values():
            history.max_length = self.length
