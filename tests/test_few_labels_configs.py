"""The few-labels configs: train, and resume as if they had not stopped."""

import pytest
import torch

from sealpose.apis import build_trainer, load_config
from tests.conftest import ROOT, SMALL_LOSS_NET, run_number

CONFIGS = sorted(path.name for path in (ROOT / 'configs/few_labels').glob('*.py'))
OPTIONS = {
    'train_dataloader.dataset.dataset.frames': 1500,
    'train_dataloader.dataset.dataset.stride': 50,
    'train_dataloader.dataset.share': 0.3,
    'train_dataloader.batch_size': 32,
    'val_dataloader.dataset.frames': 40,
    'model.backbone.channels': 16,
    'train_cfg.val_interval': 2,
    'train_cfg.max_epochs': 2,
}


def trainer(name, work_dir, **options):
    path = ROOT / 'configs/few_labels' / name
    cfg = load_config(path, str(work_dir), {**OPTIONS, **options})
    cfg.experiment_name = f'few_labels_{next(run_number)}'
    for hook in cfg.get('custom_hooks', []):
        if hook.type == 'SEALHook':
            hook.loss_net = SMALL_LOSS_NET
    return build_trainer(cfg)


def tensors(value, path=''):
    """All tensors of a checkpoint by their place."""
    if isinstance(value, torch.Tensor):
        return {path: value}
    entries = value.items() if isinstance(value, dict) else ()
    return {
        where: tensor
        for key, entry in entries
        for where, tensor in tensors(entry, f'{path}/{key}').items()
    }


@pytest.mark.parametrize('name', [n for n in CONFIGS if n.endswith('_sample.py')])
def test_config_trains_and_resumes_exactly(name, tmp_path):
    through = trainer(name, tmp_path / 'through')
    through.train()
    # mmengine's learning rate needs the length of the whole run from the start.
    straight = torch.load(tmp_path / 'through/epoch_2.pth', weights_only=True)
    resumed = trainer(
        name,
        tmp_path / 'again',
        resume=True,
        load_from=f'{tmp_path}/through/epoch_1.pth',
    )
    resumed.train()
    again = torch.load(tmp_path / 'again/epoch_2.pth', weights_only=True)
    expected, found = tensors(straight), tensors(again)
    assert expected.keys() == found.keys()
    assert ('mean_teacher' in straight) == name.startswith('pseudo_labels')
    assert ('seal' in straight) == name.startswith('seal')
    for key, value in expected.items():
        assert value.isfinite().all(), key
        assert torch.equal(value, found[key]), key


def test_every_method_exists_for_every_data_set():
    methods = {}
    for name in CONFIGS:
        method, data = name.removesuffix('.py').split('_simplebaseline_')
        methods.setdefault(data, set()).add(method)
    assert methods['cmu'] == methods['sample'] >= {'baseline', 'seal'}
