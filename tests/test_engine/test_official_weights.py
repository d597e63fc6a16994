"""Published files of a stand-in network, in every container that authors use."""

import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from sealpose.engine.official_weights import import_official, read_official
from sealpose.models.backbones.official import OfficialWeights
from sealpose.registry import BACKBONES


@BACKBONES.register_module(force=True)
class StandIn(nn.Module):
    num_frames, seq2seq = 1, True
    official = OfficialWeights(
        source='authors/stand-in',
        renames=((r'^w(\d)\.', r'layers.\1.'), (r'batch_norm', 'norm')),
        constants=(r'^adj',),
        settings=lambda state: dict(channels=len(state['w0.weight'])),
        output_layers=('layers.1',),
    )

    def __init__(self, channels=4, power=1):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, channels), nn.Linear(channels, 3)])
        self.norm = nn.BatchNorm1d(channels)
        self.register_buffer('adj', torch.eye(3) * power, persistent=False)

    def forward(self, x):
        return self.layers[1](self.layers[0](x))


def official_state(channels=6):
    torch.manual_seed(0)
    return {
        'w0.weight': torch.randn(channels, 2),
        'w0.bias': torch.randn(channels),
        'w1.weight': torch.randn(3, channels),
        'w1.bias': torch.randn(3),
        'batch_norm.weight': torch.randn(channels),
        'batch_norm.bias': torch.randn(channels),
        'batch_norm.running_mean': torch.randn(channels),
        'batch_norm.running_var': torch.rand(channels),
        'batch_norm.num_batches_tracked': torch.tensor(7),
        'adj': torch.eye(3),
    }


def published(tmp_path, content, **kwargs):
    path = tmp_path / 'published.bin'
    torch.save(content, path, **kwargs)
    return path


def containers():
    state = official_state()
    parallel = {f'module.{key}': value for key, value in state.items()}
    generator = np.random.RandomState(3)
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(2))]).state_dict()
    return {
        'bare': state,
        'bare parallel': parallel,
        'videopose': dict(
            epoch=80,
            lr=np.float64(1e-3),
            random_state=generator,
            optimizer=optimizer,
            model_pos=parallel,
            model_traj=None,
            random_state_semi=None,
        ),
        'simple baseline': dict(err=np.float32(45.5), step=3, state_dict=state),
        'motionagformer': dict(model=parallel, min_mpjpe=38.4, wandb_id='ab12'),
    }


@pytest.mark.parametrize('name', containers())
@pytest.mark.parametrize('zipped', [True, False])
def test_every_published_container_gives_the_same_weights(tmp_path, name, zipped):
    path = published(
        tmp_path, containers()[name], _use_new_zipfile_serialization=zipped
    )
    imported = import_official('StandIn', path)
    assert imported.backbone == dict(type='StandIn', channels=6)
    assert imported.names['batch_norm.weight'] == 'norm.weight'
    assert imported.left_out == ('adj',)
    state = official_state()
    assert torch.equal(imported.state_dict['layers.1.bias'], state['w1.bias'])
    assert torch.equal(
        imported.state_dict['norm.running_var'], state['batch_norm.running_var']
    )
    assert imported.state_dict['norm.num_batches_tracked'] == 7


def test_saved_import_loads_into_a_pose_net(tmp_path):
    imported = import_official('StandIn', published(tmp_path, official_state()))
    imported.save(tmp_path / 'ours.pth')
    ours = torch.load(tmp_path / 'ours.pth', weights_only=True)
    assert ours['meta']['backbone'] == imported.backbone
    model = nn.ModuleDict({'backbone': BACKBONES.build(imported.backbone)})
    model.load_state_dict(ours['state_dict'], strict=True)


def test_old_files_do_not_count_batches(tmp_path):
    state = official_state()
    del state['batch_norm.num_batches_tracked']
    imported = import_official('StandIn', published(tmp_path, state))
    assert imported.state_dict['norm.num_batches_tracked'] == 0


def test_output_scale(tmp_path):
    path = published(tmp_path, official_state())
    metres = import_official('StandIn', path, output_scale=0.001)
    expected = official_state()['w1.weight'] * 0.001
    torch.testing.assert_close(metres.state_dict['layers.1.weight'], expected)
    torch.testing.assert_close(
        metres.state_dict['layers.0.weight'], official_state()['w0.weight']
    )


def change(**changes):
    state = official_state()
    for key, value in changes.items():
        if value is None:
            del state[key.replace('__', '.')]
        else:
            state[key.replace('__', '.')] = value
    return state


@pytest.mark.parametrize(
    ('state', 'message'),
    [
        (change(w1__bias=None), r'lacks layers\.1\.bias'),
        (change(w7__bias=torch.zeros(3)), r'has w7\.bias \(layers\.7\.bias\), unknown'),
        (change(w1__weight=torch.zeros(3, 9)), r'w1\.weight of shape \(3, 9\).*\(3, 6'),
        (change(adj=torch.ones(3, 3)), 'constant adj differs'),
        (change(norm__bias=torch.zeros(6)), 'several tensors for one'),
    ],
)
def test_partial_matches_are_refused(tmp_path, state, message):
    with pytest.raises(ValueError, match=message):
        import_official('StandIn', published(tmp_path, state))


def test_given_settings_replace_those_of_the_shapes(tmp_path):
    path = published(tmp_path, change(adj=2 * torch.eye(3)))
    imported = import_official('StandIn', path, dict(power=2))
    assert imported.backbone['power'] == 2


def test_unknown_backbones_and_files_without_weights(tmp_path):
    with pytest.raises(KeyError, match='Did you mean VideoPose3D'):
        import_official('VideoPose', tmp_path / 'x')
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        import_official('StandIn', tmp_path / 'x')
    with pytest.raises(ValueError, match='no state dict.*model_pos'):
        import_official('StandIn', published(tmp_path, dict(epoch=3)))
    path = tmp_path / 'cut.bin'
    path.write_bytes(published(tmp_path, official_state()).read_bytes()[:200])
    with pytest.raises(ValueError, match='not a readable checkpoint'):
        import_official('StandIn', path)


def test_several_networks_in_one_file(tmp_path):
    state = official_state()
    content = dict(jt_state_dict=state, state_dict={'w0.bias': torch.ones(2)})
    parts = (('jt_state_dict', 'coarse.'), ('state_dict', 'refinement.'))
    weights = read_official(published(tmp_path, content), parts)
    assert set(weights) == {f'coarse.{key}' for key in state} | {'refinement.w0.bias'}
    assert torch.equal(weights['coarse.w0.bias'], state['w0.bias'])
    # A file of one network is read as it is.
    assert read_official(published(tmp_path, state), parts).keys() == state.keys()


class OldRandomState:
    """Pickles as numpy before 1.17 pickled a random state."""

    def __reduce__(self):
        constructor = getattr(np.random, '__RandomState_ctor')
        keys = np.arange(624, dtype=np.uint32)
        return constructor, (), ('MT19937', keys, 624, 0, 0.0)


def test_files_of_old_numpy_are_read(tmp_path):
    content = dict(
        lr=np.float64(1e-3), random_state=OldRandomState(), model_pos=official_state()
    )
    path = published(tmp_path, content, _use_new_zipfile_serialization=False)
    old = path.read_bytes().replace(b'cnumpy._core.', b'cnumpy.core.')
    assert old != path.read_bytes()
    path.write_bytes(old)
    assert read_official(path).keys() == official_state().keys()


class Code:
    def __reduce__(self):
        return os.mkdir, ('run',)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = published(tmp_path, dict(model_pos=official_state(), lr=Code()))
    with pytest.raises(ValueError, match='not a readable checkpoint'):
        read_official(path)
    path.write_bytes(pickle.dumps(Code()))
    with pytest.raises(ValueError, match='not a readable checkpoint'):
        read_official(path)
    assert not (tmp_path / 'run').exists()
