"""What a study adds to a training: it watches, and changes nothing but what it says."""

import hashlib
import os
import time
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from sealpose.engine.unwrap import unwrap

STATE = 'study'


class StudyHook(Hook):
    """Notes initial weights and training time, and saves what resumption needs.

    The time is that of the iterations: neither start-up nor checkpoints count, and it
    goes on where a resumed run had stopped.

    Args:
        resume_path: The checkpoint to resume from, replaced every now and then.
        checkpoint_seconds: Training time between two checkpoints.
        perturb: The initial weights are multiplied by 1 + perturb * Gaussian.

    Attributes:
        state: ``seconds`` and ``cpu_seconds`` of training; ``weights``, a checksum of
            the initial pose-net before it was perturbed; ``architecture``, one of the
            names and shapes of its weights; ``resumed_at``, the epochs at which the run
            was resumed.
    """

    # Timing starts after, and ends before, what the other hooks do.
    priority = 'LOWEST'

    def __init__(
        self, resume_path: Path, checkpoint_seconds: float, perturb: float = 0.0
    ) -> None:
        self.resume_path = resume_path
        self.checkpoint_seconds = checkpoint_seconds
        self.perturb = perturb
        self.state: dict = dict(seconds=0.0, cpu_seconds=0.0, resumed_at=[])
        self._saved_at = 0.0
        self._since = (0.0, 0.0)

    def before_train(self, runner: Runner) -> None:
        """Note the initial weights, and perturb them if asked."""
        model = unwrap(runner.model)
        if 'weights' in self.state:
            self.state['resumed_at'].append(runner.epoch)
        else:
            self.state['weights'] = checksum(model)
            self.state['architecture'] = architecture(model)
            if self.perturb:
                perturb_weights(model, self.perturb, runner.seed)
        self._saved_at = self.state['seconds']
        self._start()

    def after_train_epoch(self, runner: Runner) -> None:
        """Save a checkpoint if the last one is old."""
        self._stop()
        unsaved = self.state['seconds'] - self._saved_at
        last = runner.epoch + 1 >= runner.max_epochs
        if unsaved >= self.checkpoint_seconds and not last:
            save(runner, self.resume_path)
            self._saved_at = self.state['seconds']
        self._start()

    def after_train(self, runner: Runner) -> None:
        """Stop the clock."""
        self._stop()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the notes where the weights are, so that both are of the same time."""
        checkpoint[STATE] = dict(self.state)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Go on with the notes of a run that is resumed."""
        if runner._resume:
            self.state = checkpoint[STATE]

    def _start(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def _stop(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        clock, cpu = self._since
        self.state['seconds'] += time.perf_counter() - clock
        self.state['cpu_seconds'] += time.process_time() - cpu


def save(runner: Runner, path: Path, **kwargs: bool) -> None:
    """Write a checkpoint that is there whole or not at all.

    Args:
        runner: The Runner.
        path: Where to.
        kwargs: For ``Runner.save_checkpoint``.
    """
    temporary = path.with_suffix('.tmp')
    runner.save_checkpoint(str(path.parent), temporary.name, **kwargs)
    os.replace(temporary, path)


def checksum(model: nn.Module) -> str:
    """Return a digest of the weights and buffers of a model."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(_bytes(value))
    return digest.hexdigest()[:16]


def architecture(model: nn.Module) -> str:
    """Return a digest of the names and shapes of the weights of a model."""
    shapes = [(name, tuple(v.shape)) for name, v in model.state_dict().items()]
    return hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]


def perturb_weights(model: nn.Module, scale: float, seed: int) -> None:
    """Multiply every weight by 1 + scale * Gaussian; the global stream is left alone.

    Args:
        model: Changed in place.
        scale: Standard deviation of the factors.
        seed: Of the Gaussian.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.mul_(1 + scale * noise.to(weight.device))


def _bytes(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
