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
from sealpose.engine.hooks.data_wait import DataWaitHook
from sealpose.engine.hooks.prefetch import BackgroundLoader

BASELINE = 'configs/baseline/videopose_sample.py'


class Hub:
    def __init__(self):
        self.logged = []

    def get_scalar(self, name):
        return SimpleNamespace(current=lambda: getattr(self, name.split('/')[1]))

    def update_scalar(self, name, value):
        self.logged.append((name, value))


def test_share_is_of_the_iterations_since_the_last_log():
    hub, hook = Hub(), DataWaitHook()
    runner = SimpleNamespace(
        message_hub=hub, hooks=[LoggerHook(interval=2)], train_dataloader=range(5)
    )
    # Waited 1 + 0 of 4 + 1 seconds, then 1 + 1 of 2 + 2, then 3 of 4.
    for batch_idx, (hub.data_time, hub.time) in enumerate(
        [(1, 4), (0, 1), (1, 2), (1, 2), (3, 4)]
    ):
        hook.after_train_iter(runner, batch_idx)
    assert hub.logged == [
        ('train/data_share_percent', pytest.approx(share)) for share in (20, 50, 75)
    ]


def test_the_share_is_in_the_log_of_every_config(tiny_cfg):
    runner = build_trainer(tiny_cfg(BASELINE))
    runner.train()
    lines = Path(runner.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    logged = [json.loads(line) for line in lines if '"data_time"' in line]
    shares = [line['data_share_percent'] for line in logged if 'loss' in line]
    assert shares
    assert all(0 <= share < 100 for share in shares)
    # Both are of the same iterations: the interval is shorter than mmengine's window.
    first = next(line for line in logged if 'loss' in line)
    assert shares[0] == pytest.approx(100 * first['data_time'] / first['time'])


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
