"""What keeps training from waiting for data, and what tells whether it waits."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import LoggerHook
from torch.utils.data import DataLoader

from sealpose.apis import build_trainer
from sealpose.datasets import SampleMotion
from sealpose.datasets.window_dataset import take_batch
from sealpose.engine.hooks import data_wait
from sealpose.engine.hooks.data_wait import DataWaitHook
from sealpose.engine.hooks.prefetch import BackgroundLoader

BASELINE = 'configs/baseline/videopose_sample.py'


class Training:
    """A training by a clock of its own: each iteration waits, then works."""

    def __init__(self, monkeypatch, interval):
        self.now, self.shares = 100.0, []
        monkeypatch.setattr(data_wait.time, 'perf_counter', lambda: self.now)
        self.hook = DataWaitHook()
        self.train_loop = SimpleNamespace(run_iter=self.iterate)
        self.hooks = [LoggerHook(interval=interval)]
        self.message_hub = SimpleNamespace(
            update_scalar=lambda name, value: self.shares.append((name, value))
        )

    def iterate(self, batch_idx, work):
        self.now += work
        self.hook.after_train_iter(self, batch_idx)
        self.now += 1  # the log itself

    def run_epoch(self, *iterations):
        self.train_dataloader = iterations
        self.hook.before_train_epoch(self)
        for batch_idx, (wait, work) in enumerate(iterations):
            self.now += wait
            self.train_loop.run_iter(batch_idx, work)


def test_share_is_of_the_iterations_since_the_last_log(monkeypatch):
    training = Training(monkeypatch, interval=2)
    training.hook.before_train(training)
    training.run_epoch((1, 6), (1, 1), (2, 3), (3, 0), (1, 7))
    training.hook.before_val_epoch(training)
    training.now += 1000
    training.run_epoch((5, 4))
    training.hook.after_train(training)
    # Waited 2 of 2 + 8 seconds; 5 of 5 + 3 + 2 for two logs; 1 of 1 + 7 + 1; of the
    # last one 5 of 5 + 4 + 1: the validation does not count.
    assert training.shares == [
        ('train/data_share_percent', pytest.approx(100 * share))
        for share in (2 / 10, 5 / 10, 1 / 9, 5 / 10)
    ]


def test_the_share_is_in_the_log_of_every_config(tiny_cfg):
    runner = build_trainer(tiny_cfg(BASELINE))
    runner.train()
    lines = Path(runner.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    logged = [json.loads(line) for line in lines if '"data_time"' in line]
    shares = [line['data_share_percent'] for line in logged if 'loss' in line]
    assert shares
    assert all(0 <= share < 100 for share in shares)


def weights(cfg):
    runner = build_trainer(cfg)
    runner.train()
    return runner.model.state_dict()


def test_prefetch_and_device_store_change_no_bit(tiny_cfg):
    plain = weights(tiny_cfg(BASELINE, 'plain'))
    ahead = tiny_cfg(BASELINE, 'ahead')
    ahead.custom_hooks = [dict(type='PrefetchHook')]
    resident = tiny_cfg(BASELINE, 'resident')
    resident.train_dataloader.dataset.device_store = True
    for cfg in (ahead, resident):
        for name, value in weights(cfg).items():
            assert torch.equal(value, plain[name]), name


def test_prefetch_refuses_workers(tiny_cfg):
    cfg = tiny_cfg(BASELINE, **{'train_dataloader.num_workers': 1})
    cfg.custom_hooks = [dict(type='PrefetchHook')]
    with pytest.raises(ValueError, match='num_workers=1; set 0'):
        build_trainer(cfg).train()


def test_prefetch_refuses_loops_that_count_iterations(tiny_cfg):
    cfg = tiny_cfg(BASELINE)
    cfg.train_cfg = dict(by_epoch=False, max_iters=4, val_interval=4)
    cfg.param_scheduler = None
    cfg.custom_hooks = [dict(type='PrefetchHook')]
    with pytest.raises(TypeError, match='is a IterBasedTrainLoop'):
        build_trainer(cfg).train()


def loader(data):
    return BackgroundLoader(DataLoader(data, 8, collate_fn=take_batch), depth=2)


def test_batches_are_fetched_while_one_is_used():
    fetched = []

    class Recorded(SampleMotion):
        def __getitems__(self, indices):
            fetched.append(indices[0])
            return super().__getitems__(indices)

    ahead = threading.Event()
    batches = iter(loader(Recorded('train', frames=80)))
    next(batches)
    for _ in range(100):
        # One in use, two ready, one in the hands of the thread; never more.
        if len(fetched) == 4:
            break
        ahead.wait(0.02)
    ahead.wait(0.1)
    assert fetched == [0, 8, 16, 24]


def test_errors_of_the_thread_arrive_and_it_ends():
    class Broken(SampleMotion):
        def __getitems__(self, indices):
            if indices[0] == 16:
                raise OSError('the disk is gone')
            return super().__getitems__(indices)

    before = threading.active_count()
    seen = []
    with pytest.raises(OSError, match='the disk is gone'):
        for batch in loader(Broken('train', frames=80)):
            seen.append(batch)
    assert len(seen) == 2
    batches = iter(loader(SampleMotion('train', frames=80)))
    next(batches)
    batches.close()
    assert threading.active_count() == before
