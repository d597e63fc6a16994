"""Nothing stays on the CPU where a model computes elsewhere.

Every config takes a step on torch's device without memory, where a look at a value is
an error, as is here an operation on tensors of two devices: what a GPU would wait for,
or refuse, shows without one.
"""

from contextlib import nullcontext

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from sealpose.apis import build_trainer
from sealpose.registry import CORRECTIONS, NEGATIVES
from sealpose.seal import LossNetTrainer
from sealpose.seal.build import build_contrast, build_loss_net, build_objective
from sealpose.seal.loss_nets.bone_features import FEATURES
from sealpose.seal.loss_nets.temporal import WINDOW_FEATURES
from tests.test_configs import CONFIGS, data_roots, small_cfg  # noqa: F401

# Indices on the CPU serve every device; copies are what moves between them.
MAY_MIX = ('aten::index', 'aten::copy_', 'aten::_to_copy', 'aten::index_put_')


class OneDevice(TorchDispatchMode):
    """Refuses operations that a GPU would refuse."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [
            t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)
        ]
        devices = {t.device.type for t in tensors if t.dim()}
        name = func._schema.name
        if len(devices) > 1 and name not in MAY_MIX:
            raise RuntimeError(f'{name} got tensors on {sorted(devices)}')
        return func(*args, **kwargs)


@pytest.fixture
def what_meta_lacks(monkeypatch):
    """Autocast and generators do not know that device."""
    monkeypatch.setattr(torch, 'autocast', lambda *args, **kwargs: nullcontext())
    generator = torch.Generator
    monkeypatch.setattr(torch, 'Generator', lambda device='cpu': generator())


def to_meta(batch):
    """Move a batch as training would; what is labelled stays on the host."""
    return {k: v if k == 'labelled' else v.to('meta') for k, v in batch.items()}


# Each network once, and the published form for one of them.
NAMES = [
    name
    for name in CONFIGS
    if name.startswith('configs/seal/')
    and not name.endswith(('_cmu.py', '_cmu_published.py', '_3dhp.py'))
    and (not name.endswith('_published.py') or 'videopose_sample' in name)
]


@pytest.mark.parametrize('name', NAMES)
def test_a_step_on_another_device(name, tmp_path, data_roots, what_meta_lacks):  # noqa: F811
    runner = build_trainer(small_cfg(name, tmp_path, data_roots, epochs=1))
    batch = to_meta(next(iter(runner.train_dataloader)))
    model = runner.model.to('meta').train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optim_wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=0.1))
    seal_hooks = [hook for hook in runner.hooks if hasattr(hook, 'energy_term')]
    for hook in seal_hooks:
        runner.optim_wrapper = optim_wrapper
        hook.before_run(runner)
        hook.trainer.loss_net.to('meta')
        hook.attach(model)
    with OneDevice():
        losses = model.train_step(batch, optim_wrapper)
        model.eval()
        (sample,) = model.val_step(batch)
    assert 'loss_energy' in losses
    assert (
        sample['keypoints_3d_pred'].device.type == losses['loss'].device.type == 'meta'
    )
    assert all(p.grad is None or p.grad.device.type == 'meta' for p in parameters)


LOSS_NETS = {
    'GraphLossNet': dict(embed_dims=16, num_heads=2, depth=2),
    'MLPLossNet': dict(hidden_dims=16),
    'BoneLossNet': dict(hidden_dims=16, features=FEATURES),
    'TemporalLossNet': dict(hidden_dims=16, features=(*FEATURES, *WINDOW_FEATURES)),
    'PairwiseLossNet': dict(frame=dict(type='MLPLossNet', hidden_dims=16)),
}
OBJECTIVES = {
    'MarginObjective': dict(distance=dict(mpjpe=1.0, bone_length=1.0, angle=1.0)),
    'NCEObjective': {},
    'RegressionObjective': dict(distance=dict(mse=1.0, l1=1.0, symmetry=1.0)),
    'AdversarialObjective': {},
}


@pytest.mark.parametrize('loss_net', LOSS_NETS)
@pytest.mark.parametrize('objective', OBJECTIVES)
def test_a_loss_net_on_another_device(loss_net, objective, what_meta_lacks):
    config = dict(type=loss_net, **LOSS_NETS[loss_net])
    net = build_loss_net(config, 'h36m17', seed=0).to('meta')
    trainer = LossNetTrainer(
        net,
        build_objective(dict(type=objective, **OBJECTIVES[objective]), 'h36m17'),
        torch.optim.SGD(net.parameters(), lr=0.1),
        contrast=build_contrast(
            'h36m17',
            [dict(type=name) for name in sorted(NEGATIVES.module_dict)],
            [dict(type=name) for name in sorted(CORRECTIONS.module_dict)],
        ),
    )
    x = torch.zeros(4, 3, 17, 2, device='meta')
    pred, true = torch.zeros(2, 4, 3, 17, 3, device='meta')
    with OneDevice():
        figures = trainer.step(x, pred, true)
        energy, gradient = trainer.energy_and_gradient(x, pred)
        if net.frames_apart:
            trainer.step_and_judge(x, pred, true)
    assert {value.device.type for value in (*figures.values(), energy)} == {'meta'}
    assert gradient.device.type == 'meta'


def test_a_mixture_is_noticed():
    with OneDevice(), pytest.raises(RuntimeError, match='mm got .*cpu.*meta'):
        torch.nn.functional.linear(torch.zeros(1, 2, device='meta'), torch.zeros(2, 2))
