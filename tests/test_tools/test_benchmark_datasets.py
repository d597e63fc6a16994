"""The three benchmarks as a user runs them: train with SEAL, then test, by commands."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT, h36m_files
from tests.official_files import h3wb_files, mpi_inf_3dhp_files

FILES = {'h36m': h36m_files, '3dhp': mpi_inf_3dhp_files, 'h3wb': h3wb_files}
HEADLINES = {'h36m': 'P-MPJPE', '3dhp': 'PCK-14', 'h3wb': 'H3WB-hands-wrist'}


def run(tool, *args):
    command = [sys.executable, ROOT / 'tools' / tool, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def options(root, *stages):
    roots = [f'{stage}_dataloader.dataset.data_root={root}' for stage in stages]
    return ['--cfg-options', 'model.backbone.channels=16', *roots]


@pytest.mark.parametrize('name', FILES)
def test_simple_baseline_with_seal_from_files_to_figures(name, tmp_path):
    root = FILES[name](tmp_path / 'data')
    config = ROOT / f'configs/seal/simplebaseline_{name}.py'
    run(
        'train.py',
        *(config, '--work-dir', tmp_path / 'run'),
        *options(root, 'train', 'val'),
        'train_cfg.max_epochs=1',
        'train_dataloader.dataset.stride=100',
    )
    printed = run(
        'test.py',
        *(config, tmp_path / 'run/epoch_1.pth', '--work-dir', tmp_path / 'test'),
        *('--out', tmp_path / 'figures.json', *options(root, 'test')),
    )
    report = json.loads((tmp_path / 'figures.json').read_text())
    assert HEADLINES[name].removesuffix('-mm') in printed
    assert report['frame_mean'][HEADLINES[name]] >= 0
    assert report['frames'] > 0
