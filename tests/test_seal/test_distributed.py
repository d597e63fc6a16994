import os
import subprocess
import sys
from pathlib import Path

import torch

import sealpose

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


def test_two_processes_train_like_one(tmp_path):
    ranks = ((0, 1), (0, 2), (1, 2))
    processes = [launch(rank, world, tmp_path) for rank, world in ranks]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    results = []
    for (rank, world), error in zip(ranks, errors, strict=True):
        file = tmp_path / f'weights_{world}_{rank}.pth'
        assert file.exists(), error
        results.append(torch.load(file))
    one, first, second = results
    for part in ('pose', 'seal'):
        for name, value in one[part].items():
            torch.testing.assert_close(value, first[part][name], rtol=0, atol=1e-5)
            assert torch.equal(first[part][name], second[part][name]), name
