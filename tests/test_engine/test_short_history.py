"""Scalars of the log are kept for as long as the log needs them."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from sealpose.apis import build_trainer
from sealpose.engine.hooks.short_history import ShortHistoryHook

CONFIG = 'configs/baseline/simplebaseline_sample.py'


def losses(run):
    lines = Path(run.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    return [entry['loss'] for entry in map(json.loads, lines) if 'loss' in entry]


def lengths(run):
    return {len(buffer.data[0]) for buffer in run.message_hub.log_scalars.values()}


def test_old_values_go_and_new_ones_stay():
    hub = MessageHub('short history')
    runner = SimpleNamespace(message_hub=hub)
    hook = ShortHistoryHook(length=3)
    for value in range(7):
        hub.update_scalar('train/loss', value)
        hook.after_train_iter(runner)
    assert hub.get_scalar('train/loss').data[0].tolist() == [4, 5, 6]


def test_the_history_of_a_training_is_bounded_and_the_log_the_same(tiny_cfg):
    # mmengine averages the loss over ten iterations.
    runs = []
    for name, length in {'short': 10, 'long': 1000}.items():
        cfg = tiny_cfg(CONFIG, name)
        cfg.default_hooks.logger.interval = 4
        cfg.default_hooks.short_history.length = length
        cfg.train_cfg.max_epochs = 8
        runs.append(build_trainer(cfg))
        runs[-1].train()
    short, long = runs
    assert max(lengths(short)) == 10 < max(lengths(long))
    assert losses(short) == losses(long)


def test_no_history_at_all_is_refused():
    with pytest.raises(ValueError, match='length must be at least 1, but got 0'):
        ShortHistoryHook(length=0)
