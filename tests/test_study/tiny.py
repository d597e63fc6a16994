"""A study on generated data whose runs take a fraction of a second."""

import json
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.scripts import load_script

TOOL = ROOT / 'tools/analysis_tools/study.py'
tool = load_script('tools/analysis_tools/study.py')

OVERRIDES = {
    'train_dataloader.batch_size': 32,
    'train_dataloader.dataset.frames': 80,
    'val_dataloader.dataset.frames': 40,
    'test_dataloader.dataset.frames': 250,
    'model.backbone.channels': 16,
    'train_cfg.max_epochs': 2,
}
STUDY = dict(
    base='configs/baseline/simplebaseline_sample.py',
    overrides=OVERRIDES,
    seeds=[0, 1],
    baseline='plain',
    measures=['MPJPE', 'MPJVE', 'MPJPE-worst5'],
)


def write_study(path: Path, arms: dict, **entries: object) -> Path:
    """Write a study file of these arms."""
    everything = {**STUDY, **entries, 'arms': arms}
    lines = [f'{key} = {value!r}' for key, value in everything.items()]
    path.write_text('\n'.join(lines))
    return path


def run_tool(*arguments: object) -> int:
    """Run the tool in this process."""
    return tool.main([*map(str, arguments), '--jobs', '0'])


def command(*arguments: object) -> list[str]:
    """Return the command line of the tool in a process of its own."""
    return [sys.executable, str(TOOL), *map(str, arguments)]


def notes(folder: Path, name: str = 'result.json') -> dict:
    """Read a JSON file of a run."""
    return json.loads((folder / name).read_text())
