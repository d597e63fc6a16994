"""tools/dataset_converters/shard.py: from configs to shards that train and test."""

import io
import runpy
import sys
from contextlib import redirect_stdout

import pytest
import torch
from mmengine.hooks import Hook

from sealpose.apis import build_tester, build_trainer, evaluate
from sealpose.apis.config import load_config
from sealpose.datasets.sharded_poses import ShardedPoses
from sealpose.registry import DATASETS
from tests.conftest import ROOT

BASELINE = 'configs/baseline/videopose_sample.py'


def convert(*arguments):
    """Run the tool; return what it prints, or the line that it ends with."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setattr(sys, 'argv', ['shard.py', *map(str, arguments)])
        try:
            runpy.run_path(
                f'{ROOT}/tools/dataset_converters/shard.py', None, '__main__'
            )
        except SystemExit as error:
            return str(error)
    return out.getvalue()


@pytest.fixture(scope='module')
def small_config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('configs')
    path = folder / 'small.py'
    sizes = ''.join(
        f'{split}_dataloader = dict(dataset=dict(frames=80))\n'
        for split in ('train', 'val', 'test')
    )
    path.write_text(f"_base_ = '{ROOT}/{BASELINE}'\n{sizes}")
    return path


@pytest.fixture(scope='module')
def shards(small_config):
    root = small_config.parent / 'shards'
    for split in ('train', 'test'):
        said = convert(
            small_config, '--split', split, '--out', root, '--shard-frames', 80
        )
    assert said == f'{root}/test: 320 frames in 4 shards\n'
    return root


def test_two_data_sets_become_one(small_config, tmp_path):
    convert(small_config, small_config, '--out', tmp_path, '--shuffle', 7)
    data = ShardedPoses(tmp_path)
    once = DATASETS.build(load_config(small_config).train_dataloader.dataset)
    assert len(data.metainfo['sequences']) == 2 * len(once.store.sequences)
    total = once.store.keypoints_3d.double().abs().sum()
    found = sum(s.keypoints_3d.double().abs().sum() for s in data.load_sequences())
    assert found == pytest.approx(2 * total)


def test_faults_are_one_line(small_config, shards, tmp_path):
    said = convert(small_config, '--out', shards)
    assert said.startswith('error: ')
    assert said.endswith('already holds finished shards; remove it or choose another')
    said = convert(small_config, '--out', tmp_path, '--shard-frames', 0)
    assert said == 'error: --shard-frames is 0, not positive'


def on_shards(cfg, shards):
    for split in ('train', 'test'):
        dataset = dict(type='ShardedPoses', data_root=str(shards), split=split)
        cfg[f'{split}_dataloader'].dataset = dataset
    cfg.train_dataloader.sampler = dict(type='ShardSampler', shards_at_once=2)
    return cfg


class StopAfterOneEpoch(Hook):
    def before_train_epoch(self, runner):
        if runner.epoch == 1:
            raise KeyboardInterrupt


def test_shards_train_resume_and_test(tiny_cfg, shards):
    options = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2}
    straight = build_trainer(on_shards(tiny_cfg(BASELINE, 'a', **options), shards))
    straight.train()
    stopped = build_trainer(on_shards(tiny_cfg(BASELINE, 'b', **options), shards))
    stopped.register_hook(StopAfterOneEpoch())
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    again = on_shards(tiny_cfg(BASELINE, 'b', **options), shards)
    again.resume = True
    resumed = build_trainer(again)
    resumed.train()
    assert resumed.epoch == 2
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name

    path = f'{straight.work_dir}/epoch_2.pth'
    plain = tiny_cfg(BASELINE, **{'test_dataloader.dataset.frames': 80})
    expected = evaluate(build_tester(plain, path)).report
    found = evaluate(build_tester(on_shards(tiny_cfg(BASELINE), shards), path)).report
    assert found.action_mean == expected.action_mean
    assert found.frames == expected.frames == 320
    assert found.dataset == 'SampleMotion'
