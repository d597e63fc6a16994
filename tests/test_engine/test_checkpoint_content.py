"""What a checkpoint holds, and what an export of the pose-net keeps of it."""

import pickletools
import sys
import zipfile

import pytest
import torch

from sealpose.apis import build_tester, evaluate
from sealpose.engine import read_checkpoint
from sealpose.engine.pose_net_export import export_pose_net
from sealpose.skeletons import H36M17
from sealpose.version import __version__
from tests.conftest import ROOT
from tests.scripts import load_script

from .runs import SEAL, At, CrashError, assert_identical, crash, exact_cfg, train

# What torch 2.1, the oldest that is supported, loads with weights_only=True.
CALLABLES = {
    'collections OrderedDict',
    'torch._utils _rebuild_tensor_v2',
    'torch FloatStorage',
    'torch LongStorage',
}
OPCODES = {
    'PROTO', 'STOP', 'MARK', 'GLOBAL', 'REDUCE', 'BUILD', 'NONE', 'NEWTRUE', 'NEWFALSE',
    'BININT', 'BININT1', 'BININT2', 'BINFLOAT', 'BINUNICODE', 'LONG1', 'EMPTY_DICT',
    'EMPTY_LIST', 'EMPTY_TUPLE', 'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'APPEND',
    'APPENDS', 'SETITEM', 'SETITEMS', 'BINGET', 'LONG_BINGET', 'BINPUT', 'LONG_BINPUT',
    'BINPERSID',
}  # fmt: skip


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """One of a run with everything on, between two updates."""
    folder = tmp_path_factory.mktemp('content')
    path = folder / 'run/epoch_1.pth'

    def make(tiny_cfg):
        if not path.exists():
            cfg = exact_cfg(tiny_cfg, 'run', **{'train_cfg.max_epochs': 2})
            cfg.work_dir = str(path.parent)
            with pytest.raises(CrashError):
                train(cfg, At(7, crash))
        return path

    return make


def test_plain_values_alone(checkpoint, tiny_cfg):
    path = checkpoint(tiny_cfg)
    with zipfile.ZipFile(path) as file:
        (name,) = (name for name in file.namelist() if name.endswith('/data.pkl'))
        content = file.read(name)
    used = list(pickletools.genops(content))
    assert {code.name for code, _, _ in used} <= OPCODES
    assert {given for code, given, _ in used if code.name == 'GLOBAL'} <= CALLABLES


def test_everything_that_a_run_is(checkpoint, tiny_cfg):
    content = read_checkpoint(checkpoint(tiny_cfg))
    assert content.keys() == {
        'meta', 'state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'seal',
        'message_hub', 'waiting_gradients',
    }  # fmt: skip
    assert {'loss_net', 'optimizer'} <= content['seal'].keys()
    meta = content['meta']
    assert (meta['epoch'], meta['iter'], meta['seed']) == (1, 5, 0)
    assert meta['versions']['sealpose'] == __version__
    assert meta['versions']['torch'] == torch.__version__
    assert meta['versions'].keys() == {'sealpose', 'torch', 'mmengine'}
    assert meta['random_state']['seed'] == 0
    assert 'seeded anew' in meta['random_state']['policy']
    assert meta['skeleton']['joints'] == dict(H36M17.joints)
    assert meta['backbone']['type'] == 'VideoPose3D'
    assert meta['backbone']['channels'] == 8
    assert "type='GraphLossNet'" in meta['cfg']


def run_tool(*arguments, monkeypatch):
    tool = load_script('tools/model_converters/export_pose_net.py')
    monkeypatch.setattr(sys, 'argv', ['export_pose_net.py', *map(str, arguments)])
    tool.main()


def test_an_export_is_tested_like_its_checkpoint(
    checkpoint, tiny_cfg, tmp_path, monkeypatch, capsys
):
    path, out = checkpoint(tiny_cfg), tmp_path / 'pose_net.pth'
    run_tool(path, out, monkeypatch=monkeypatch)
    assert out.stat().st_size < path.stat().st_size / 3
    before, after = (p.stat().st_size / 1e6 for p in (path, out))
    told = capsys.readouterr().out
    assert f'{before:.2f} MB -> {after:.2f} MB' in told
    assert 'seal' in told and 'channels=8' in told
    exported = read_checkpoint(out)
    assert exported.keys() == {'state_dict', 'meta'}
    assert exported['meta'].keys() == {'backbone', 'skeleton', 'versions'}

    options = {'model.backbone.channels': 8, 'test_dataloader.dataset.frames': 10}
    whole, alone = (
        evaluate(build_tester(tiny_cfg(SEAL, name, **options), file)).report
        for name, file in (('whole', path), ('alone', out))
    )
    assert whole.frame_mean == alone.frame_mean


def test_checkpoints_of_earlier_versions_need_the_config(
    checkpoint, tiny_cfg, tmp_path, monkeypatch
):
    content = read_checkpoint(checkpoint(tiny_cfg))
    # An older one tells its config as text, which is never run.
    content['meta'] = dict(cfg='1 / 0')
    torch.save(content, tmp_path / 'old.pth')
    old, out = tmp_path / 'old.pth', tmp_path / 'out.pth'
    with pytest.raises(SystemExit, match=r'old\.pth does not tell.*--config'):
        run_tool(old, out, monkeypatch=monkeypatch)
    assert not out.exists()
    config = ROOT / 'configs/baseline/videopose_sample.py'
    run_tool(old, out, '--config', config, monkeypatch=monkeypatch)
    exported = read_checkpoint(out)
    assert exported['meta']['skeleton']['name'] == 'h36m17'
    assert_identical(exported['state_dict'], dict(content['state_dict']))


def test_no_pose_net_to_export(tmp_path):
    torch.save(dict(seal=dict(loss_net={})), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'x\.pth holds no pose-net: .* seal'):
        export_pose_net(tmp_path / 'x.pth', tmp_path / 'out.pth')
