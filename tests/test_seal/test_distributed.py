import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import sealpose

from .distributed_worker import RANDOM, RUNS

TESTS = Path(__file__).parents[1]
ROOT = Path(sealpose.__file__).parents[1]


def launch(rank, world, folder):
    command = [sys.executable, '-m', 'test_seal.distributed_worker']
    return subprocess.Popen(
        [*command, str(rank), str(world), str(folder)],
        env={**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{TESTS}'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Results of one process alone, and of both of a pair, by name of the run."""
    folder = tmp_path_factory.mktemp('distributed')
    ranks = ((0, 1), (0, 2), (1, 2))
    processes = [launch(rank, world, folder) for rank, world in ranks]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    results = []
    for (rank, world), error in zip(ranks, errors, strict=True):
        file = folder / f'weights_{world}_{rank}.pth'
        assert file.exists(), error
        results.append(torch.load(file))
    return results


@pytest.mark.parametrize('name', RUNS)
def test_two_processes_train_like_one(trained, name):
    one, first, _ = (result[name] for result in trained)
    for part in ('pose', 'seal'):
        for key, value in one[part].items():
            torch.testing.assert_close(value, first[part][key], rtol=0, atol=1e-6)


@pytest.mark.parametrize('name', RUNS)
def test_two_processes_weigh_the_energy_like_one(trained, name):
    """Each has the gradients of means over its own half of the batch."""
    one, first, _ = (result[name]['balance']['running'] for result in trained)
    assert (one > 0).all()
    torch.testing.assert_close(first, one, rtol=1e-5, atol=0)


@pytest.mark.parametrize('name', [*RUNS, *RANDOM])
def test_processes_do_not_drift_apart(trained, name):
    _, first, second = (result.get(name) for result in trained)
    for part in ('pose', 'seal', 'balance'):
        for key, value in first[part].items():
            assert torch.equal(value, second[part][key]), key


def test_the_runs_differ_from_each_other(trained):
    """What they compare matters: no run is a copy of another."""
    first = trained[1]
    weights = [
        torch.cat([each.flatten() for each in first[name]['seal'].values()])
        for name in (*RUNS, *RANDOM)
    ]
    for i, one in enumerate(weights):
        assert all((one - other).abs().max() > 1e-4 for other in weights[:i])
