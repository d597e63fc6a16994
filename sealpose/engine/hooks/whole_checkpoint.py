"""Checkpoints that survive what goes wrong, and from which a run goes on exactly."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from sealpose.engine.partial_gradients import (
    gather_gradients,
    optim_wrappers,
    restore_gradients,
)
from sealpose.engine.whole_files import POINTER, remove_unfinished, write_whole
from sealpose.registry import HOOKS

INTERRUPTED = 'interrupted.pth'
ALLOWED_FAILURES = 2


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook, made hard to break.

    - A checkpoint is there whole or not at all, ``last_checkpoint`` names it only then,
      and only then do older ones go: whenever the process dies, the last good
      checkpoint is there and is found.
    - A checkpoint that cannot be written, as on a full disk, costs one line in the log,
      not the run; the third in a row, and the last of a run, end it.
    - It holds the gradients that wait for their update under accumulation, and says
      whether its validation is done; a resumed run catches up on that.
    - :meth:`save_interrupted` saves in the middle of an epoch.

    Takes the arguments of mmengine's hook but ``backend_args``: it writes to disk.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, backend_args=dict(backend='whole_file'))
        self._failures = 0
        self._validated = False
        self._gradients: list | None = None
        self._resumed: dict | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note what a resumed run has to do before it goes on."""
        if runner._resume:
            self._resumed = dict(
                gradients=checkpoint.get('waiting_gradients'),
                validated=checkpoint['meta'].get('validated', True),
                batches_done=checkpoint['meta'].get('batches_done', 0),
            )

    def before_train(self, runner: Runner) -> None:
        """Clear the folder of unfinished files; take up a resumed run."""
        super().before_train(runner)
        if is_main_process():
            for folder in {self.out_dir, runner.work_dir}:
                remove_unfinished(folder)
        if self._resumed is None:
            return
        state, self._resumed = self._resumed, None
        if state['gradients'] is not None:
            restore_gradients(optim_wrappers(runner), state['gradients'])
        if state['batches_done']:
            _loop_that_skips(runner).batches_done = state['batches_done']
        elif not state['validated'] and _validation_is_due(runner):
            runner.val_loop.run()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the gradients that wait for their update."""
        if self._gradients is not None:
            checkpoint['waiting_gradients'] = self._gradients

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint, then remove the one that was the best before."""
        self._validated = True
        super().after_val_epoch(runner, metrics)
        self._validated = False

    def save_interrupted(
        self, runner: Runner, iteration: int, batches_done: int, validated: bool
    ) -> None:
        """Save the run where it is, as ``interrupted.pth``; call it on all processes.

        The next regular checkpoint of the resumed run removes the file.

        Args:
            runner: The Runner.
            iteration: Iterations of the run that are done.
            batches_done: Batches of the present epoch that were trained on; 0 between
                two epochs and in iteration-based training.
            validated: Whether a validation that is due here is done.

        Raises:
            OSError: the file cannot be written.
        """
        if batches_done:
            _loop_that_skips(runner)
        meta = dict(epoch=runner.epoch, iter=iteration, batches_done=batches_done)
        self._save_last(runner, INTERRUPTED, {**meta, 'validated': validated})

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        hub = runner.message_hub
        before = hub.runtime_info.get('keep_ckpt_ids')
        kept = outdated = []
        if self.max_keep_ckpts > 0:
            ids = [*(i for i in self.keep_ckpt_ids if i != step), step]
            outdated, kept = ids[: -self.max_keep_ckpts], ids[-self.max_keep_ckpts :]
            hub.update_info('keep_ckpt_ids', kept)
        name = self.filename_tmpl.format(step)
        # The Runner adds to what it is given.
        iteration = meta['iter']
        try:
            self._save_last(runner, name, {**meta, 'validated': self._validated})
        except OSError as error:
            if before is not None:
                hub.update_info('keep_ckpt_ids', before)
            self._report_failure(runner, name, error, iteration)
            return
        self._failures = 0
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept)
        for old in [*map(self.filename_tmpl.format, outdated), INTERRUPTED]:
            _remove(Path(self.out_dir, old))

    def _save_last(self, runner: Runner, name: str, meta: dict) -> None:
        """Write a checkpoint, then the file that names it as the last one."""
        self.last_ckpt = str(Path(self.out_dir, name))
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        # Not a point of mmengine's, whose `before_save_checkpoint` is for the main
        # process: hooks may talk to the other processes here.
        runner.call_hook('before_save_everywhere')
        self._gradients = gather_gradients(optim_wrappers(runner))

        def write() -> None:
            self._save(runner, name, meta, with_training_state=True)
            if is_main_process():
                write_whole(Path(runner.work_dir, POINTER), self.last_ckpt.encode())

        try:
            _on_all_processes(write)
        finally:
            self._gradients = None

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        better = [
            self._save_if_best(runner, key, rule, metrics[key])
            for key, rule in zip(self.key_indicators, self.rules, strict=True)
        ]
        if any(better) and self.last_ckpt is not None:
            # It has to know the best score, for when it is resumed from.
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            step = runner.epoch if self.by_epoch else runner.iter
            self._save_checkpoint_with_step(runner, step, meta)

    def _save_if_best(
        self, runner: Runner, key: str, rule: str, score: float | None
    ) -> bool:
        suffix = '' if len(self.key_indicators) == 1 else f'_{key}'
        score_key, path_key = f'best_score{suffix}', f'best_ckpt{suffix}'
        hub = runner.message_hub
        before = {k: hub.runtime_info.get(k) for k in (score_key, path_key)}
        record = before[score_key]
        record = self.init_value_map[rule] if record is None else record
        if score is None or not self.is_better_than[key](score, record):
            return False
        step = runner.epoch if self.by_epoch else runner.iter
        name = f'best_{key}_{self.filename_tmpl.format(step)}'.replace('/', '_')
        path = str(Path(self.out_dir, name))
        hub.update_info(score_key, score)
        hub.update_info(path_key, path)
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        try:
            _on_all_processes(lambda: self._save(runner, name, meta))
        except OSError as error:
            hub.runtime_info.update(before)
            self._report_failure(runner, name, error, runner.iter)
            return False
        if before[path_key] not in (None, path):
            _remove(before[path_key])
        self._note_best(key, path)
        runner.logger.info(f'Best {key} so far, {score:0.4f}: saved {name}')
        return True

    def _save(
        self, runner: Runner, name: str, meta: dict, with_training_state: bool = False
    ) -> None:
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=with_training_state and self.save_optimizer,
            save_param_scheduler=with_training_state and self.save_param_scheduler,
            meta=meta,
            backend_args=self.backend_args,
        )

    def _note_best(self, key: str, path: str) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = path
        else:
            self.best_ckpt_path_dict[key] = path

    def _report_failure(
        self, runner: Runner, name: str, error: OSError, iteration: int
    ) -> None:
        """Say that a file could not be written; end the run if that is too much."""
        self._failures += 1
        message = f'{name} could not be written to {self.out_dir}: {error}'
        if iteration >= runner.max_iters or self._failures > ALLOWED_FAILURES:
            raise OSError(
                f'{message}. The checkpoints written before are whole; make room, then '
                'continue from the newest with --resume'
            ) from error
        runner.logger.error(
            f'{message}. Training goes on; the checkpoints written before are whole, '
            'and the next one is tried in its turn'
        )


def _on_all_processes(write: Callable[[], None]) -> None:
    """Call it everywhere; a fault of the main process is raised everywhere.

    The others would wait for it forever.
    """
    fault: Exception | None = None
    try:
        # Runners whose weights are spread over the processes need all of them to save;
        # the plain one writes on the main process.
        write()
    except Exception as error:
        fault = error
    if torch.distributed.is_initialized():
        box = [None if fault is None else (isinstance(fault, OSError), str(fault))]
        torch.distributed.broadcast_object_list(box, src=0)
        if fault is None and box[0] is not None:
            of_the_disk, message = box[0]
            fault = (OSError if of_the_disk else RuntimeError)(message)
    if fault is not None:
        raise fault


def _remove(path: str | Path) -> None:
    if is_main_process():
        with contextlib.suppress(OSError):
            Path(path).unlink()


def _validation_is_due(runner: Runner) -> bool:
    """Whether the loop validates at the point where the run goes on."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    loop._decide_current_val_interval()
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    done, end = (
        (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    )
    return done >= max(loop.val_begin, 1) and (
        done % loop.val_interval == 0 or done == end
    )


def _loop_that_skips(runner: Runner) -> Any:
    loop = runner.train_loop
    if not hasattr(loop, 'batches_done'):
        raise TypeError(
            f'{type(loop).__name__} cannot go on in the middle of an epoch; use '
            "train_cfg = dict(type='ResumableEpochLoop', ...), as tools/train.py does"
        )
    return loop
