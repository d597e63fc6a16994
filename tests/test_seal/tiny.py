"""A pose-net, a data set and a Runner small enough for tests."""

import itertools
import logging

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from sealpose.seal import SEALHook
from sealpose.skeletons import H36M17

LOSS_NET = {'type': 'MLPLossNet', 'skeleton': 'h36m17', 'hidden_dims': 16}
COUNTER = itertools.count()


class TinyPoses(Dataset):
    """Twelve random windows, of one frame: three iterations of four."""

    def __init__(self, skeleton=H36M17, frames=1):
        generator = torch.Generator().manual_seed(0)
        self.y = torch.randn(12, frames, 17, 3, generator=generator)
        self.skeleton = skeleton

    def __len__(self):
        return len(self.y)

    def __getitem__(self, idx):
        return {'keypoints_2d': self.y[idx, ..., :2], 'keypoints_3d': self.y[idx]}


class TinyLifter(BaseModel):
    """A pose-net with dropout that calls ``energy_fn`` as PoseLifter does."""

    skeleton = H36M17

    def __init__(self, tells_loss=True):
        super().__init__()
        torch.manual_seed(0)
        self.tells_loss = tells_loss
        self.net = nn.Sequential(nn.Linear(34, 51), nn.Dropout(0.5))
        self.energy_fn = None
        self.fresh_calls = 0

    def predict(self, x):
        return self.net(x.flatten(2)).unflatten(-1, (17, 3))

    def predict_fresh(self, gradients=False, thinning=1):
        self.fresh_calls += 1
        self.net.eval()
        with torch.set_grad_enabled(gradients):
            pred = self.predict(self.current[::thinning])
        self.net.train()
        return pred

    def pose_loss(self, pred, thinning=1):
        return (pred - self.truth[::thinning]).norm(dim=-1).mean()

    def forward(self, keypoints_2d, keypoints_3d, mode='tensor'):
        self.current, pred = keypoints_2d, self.predict(keypoints_2d)
        if mode != 'loss':
            return [{'pred': pred}]
        self.truth = keypoints_3d
        losses = {'loss_pose': self.pose_loss(pred)}
        if self.energy_fn is not None:
            pose_loss = {'pose_loss': losses['loss_pose']} if self.tells_loss else {}
            losses.update(self.energy_fn(keypoints_2d, pred, keypoints_3d, **pose_loss))
        return losses


class CountBatches(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return {'count': len(results)}


def seal(**kwargs):
    config = {
        'loss_net': LOSS_NET,
        'objective': {'type': 'MarginObjective'},
        'optim_wrapper': {'optimizer': {'type': 'AdamW', 'lr': 1e-2}},
        'energy_weight': 0.1,
    }
    return SEALHook(**{**config, **kwargs})


def make_runner(
    tmp_path,
    *hooks,
    model=None,
    dataset=None,
    epochs=2,
    batch_size=4,
    shuffle=True,
    **kwargs,
):
    def loader(shuffle):
        return {
            'dataset': dataset or TinyPoses(),
            'sampler': {'type': 'DefaultSampler', 'shuffle': shuffle},
            'batch_size': batch_size,
            'num_workers': 0,
            'collate_fn': {'type': 'default_collate'},
        }

    config = {
        'model': model or TinyLifter(),
        'work_dir': str(tmp_path),
        'train_dataloader': loader(shuffle),
        'train_cfg': {'by_epoch': True, 'max_epochs': epochs},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.05}},
        'test_dataloader': loader(False),
        'test_cfg': {},
        'test_evaluator': CountBatches(),
        'default_hooks': {'logger': {'type': 'LoggerHook', 'interval': 2}},
        'custom_hooks': [{'type': 'PlainCheckpointHook'}, *hooks],
        'randomness': {'seed': 3},
        'default_scope': 'sealpose',
        'experiment_name': f'{tmp_path.name}_{next(COUNTER)}',
        'log_level': logging.ERROR,
    }
    return Runner(**{**config, **kwargs})


def run(tmp_path, *hooks, **kwargs):
    runner = make_runner(tmp_path, *hooks, **kwargs)
    runner.train()
    return runner


def same(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(value, second[name]) for name, value in first.items())


def pose_weights(runner):
    return runner.model.state_dict()
