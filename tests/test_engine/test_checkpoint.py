import os
import pickle

import pytest
import torch
from torch import nn

from sealpose.engine.checkpoint import (
    check_state_dict,
    load_from_local,
    read_checkpoint,
)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no checkpoint .*epoch_9'):
        read_checkpoint(tmp_path / 'epoch_9.pth')


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04broken'])
def test_damaged_file_is_named(tmp_path, content):
    path = tmp_path / 'x.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'x\.pth is not a readable checkpoint'):
        read_checkpoint(path)


def test_cut_short_file_is_named(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(nn.Linear(50, 50).state_dict(), path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r'x\.pth is not a readable checkpoint'):
        read_checkpoint(path)


def test_a_malicious_checkpoint_runs_nothing(tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'hacked'),)

    torch.save({'state_dict': Malicious()}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='not a readable checkpoint'):
        read_checkpoint(tmp_path / 'x.pth')
    (tmp_path / 'y.pth').write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(ValueError, match='not a readable checkpoint'):
        read_checkpoint(tmp_path / 'y.pth')
    assert not (tmp_path / 'hacked').exists()


def test_the_key_that_mmengine_would_execute_is_dropped(tmp_path):
    torch.save({'meta': {'config': 'import os', 'epoch': 3}}, tmp_path / 'x.pth')
    assert load_from_local(str(tmp_path / 'x.pth'), 'cpu')['meta'] == {'epoch': 3}


def test_another_models_checkpoint_is_refused_with_the_difference(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3))
    good = {f'module.{key}': value for key, value in model.state_dict().items()}
    check_state_dict(model, dict(state_dict=good), 'x.pth')
    for weights, message in (
        (nn.Sequential(nn.Linear(2, 4)).state_dict(), r'0\.weight of shape \(4, 2\)'),
        (nn.Sequential(nn.Linear(2, 3, bias=False)).state_dict(), r'lacks 0\.bias'),
        ({**model.state_dict(), 'extra': torch.zeros(1)}, 'unknown extra'),
    ):
        with pytest.raises(ValueError, match=rf'x\.pth belongs to another .*{message}'):
            check_state_dict(model, weights, 'x.pth')
