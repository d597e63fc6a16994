"""Networks of others behind ForeignBackbone: mmpose's by a stand-in package."""

import sys
import textwrap

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from sealpose.apis import build_trainer
from sealpose.models.backbones.foreign import ForeignBackbone

MMPOSE_REGISTRY = """
    from mmengine.registry import MODELS as ROOT, Registry
    MODELS = Registry('model', parent=ROOT, scope='mmpose', locations=['mmpose.models'])
"""
MMPOSE_MODELS = """
    from torch import nn
    from mmpose.registry import MODELS

    @MODELS.register_module()
    class TCN(nn.Module):
        '''The interface of mmpose's: (B, C, T) -> one (B, D, T') per block.'''

        def __init__(self, in_channels, stem_channels, num_blocks, kernel_sizes,
                     dropout):
            super().__init__()
            widths = [in_channels] + [stem_channels] * len(kernel_sizes)
            dilations = [1, 3, 9]
            self.convs = nn.ModuleList(
                nn.Conv1d(i, o, k, dilation=d) for i, o, k, d in
                zip(widths, widths[1:], kernel_sizes, dilations))

        def forward(self, x):
            outputs = []
            for conv in self.convs:
                x = conv(x)
                outputs.append(x)
            return tuple(outputs[1:])
"""


@pytest.fixture
def mmpose(tmp_path, monkeypatch):
    package = tmp_path / 'site' / 'mmpose'
    package.mkdir(parents=True)
    (package / '__init__.py').write_text('')
    (package / 'registry.py').write_text(textwrap.dedent(MMPOSE_REGISTRY))
    (package / 'models.py').write_text(textwrap.dedent(MMPOSE_MODELS))
    monkeypatch.syspath_prepend(str(package.parent))
    yield
    MODELS.children.pop('mmpose', None)
    for name in [name for name in sys.modules if name.split('.')[0] == 'mmpose']:
        del sys.modules[name]


def projects_cfg(tiny_cfg, name):
    overrides = {'model.backbone.channels': None}
    cfg = tiny_cfg(name, **overrides)
    cfg.model.backbone.pop('channels')
    return cfg


def test_a_backbone_of_another_library_trains_by_its_scope(mmpose, tiny_cfg):
    cfg = projects_cfg(tiny_cfg, 'projects/mmpose_backbone/configs/tcn_sample.py')
    runner = build_trainer(cfg)
    before = runner.model.backbone.head.weight.detach().clone()
    runner.train()
    assert type(runner.model.backbone.network).__module__ == 'mmpose.models'
    assert not torch.equal(runner.model.backbone.head.weight, before)


def test_a_class_by_its_import_path_trains_unchanged(tiny_cfg):
    name = 'projects/foreign_backbone/configs/channels_first_sample.py'
    runner = build_trainer(projects_cfg(tiny_cfg, name))
    network = runner.model.backbone.network
    before = network.mix.weight.detach().clone()
    runner.train()
    assert not torch.equal(network.mix.weight, before)


class AxisNames(nn.Module):
    """Returns where each value of its input came from."""

    def forward(self, x):
        self.seen = x
        return torch.cat([x, x[:, :1]], 1)


def test_axes_reach_the_network_and_come_back():
    model = ForeignBackbone(
        dict(type=AxisNames),
        num_frames=4,
        seq2seq=True,
        input_axes='b c t j 1',
        output_axes='b c t j 1',
        num_joints=5,
    )
    x = torch.arange(2 * 4 * 5 * 2.0).view(2, 4, 5, 2)
    y = model(x)
    assert model.network.seen.shape == (2, 2, 4, 5, 1)
    assert model.network.seen[1, 0, 2, 3, 0] == x[1, 2, 3, 0]
    assert torch.equal(y, torch.cat([x, x[..., :1]], -1))


def test_faults_are_named():
    with pytest.raises(TypeError, match='made a .*dict.*, not an nn.Module'):
        ForeignBackbone(dict(type=dict), num_frames=1, seq2seq=True)

    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(ValueError, match='a tuple of 2, not a tensor.*output=-1'):
        ForeignBackbone(dict(type=Pair), 1, True)(torch.zeros(1, 1, 17, 2))
    model = ForeignBackbone(dict(type=nn.Identity), 1, True)
    with pytest.raises(RuntimeError, match='Shape mismatch, 2 != 3'):
        model(torch.zeros(1, 1, 17, 2))
