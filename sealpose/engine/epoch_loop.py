"""The training loop that can go on in the middle of an epoch."""

from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """mmengine's epoch loop, which can skip the batches that an epoch has behind it.

    They are fetched and dropped, so that all that follow are those of a run that was
    never interrupted.

    Attributes:
        batches_done: Batches to skip in the next epoch that runs.
    """

    batches_done = 0

    def run_epoch(self) -> None:
        """Train on the batches of an epoch that were not seen yet."""
        done, self.batches_done = self.batches_done, 0
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for number, batch in enumerate(self.dataloader):
            if number >= done:
                self.run_iter(number, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
