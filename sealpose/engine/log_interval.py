"""When the figures of an iteration are about to be read."""

from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import Runner

# Iterations whose figures lie on the device at most, where the log is written seldom.
MOST_UNREAD = 200


def log_is_due(runner: Runner, batch_idx: int) -> bool:
    """Whether the log may be written after this iteration; the same on all processes.

    Args:
        runner: The Runner, in ``after_train_iter`` of a hook before LoggerHook.
        batch_idx: Number of the batch in its epoch, from 0.
    """
    clock = Hook()
    return clock.end_of_epoch(runner.train_dataloader, batch_idx) or any(
        clock.every_n_inner_iters(batch_idx, hook.interval)
        for hook in runner.hooks
        if isinstance(hook, LoggerHook)
    )
