"""The scripts that start several processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT

CONFIG = 'configs/seal/videopose_sample_published.py'
OPTIONS = [
    'train_cfg.max_epochs=1',
    'train_dataloader.dataset.frames=160',
    'train_dataloader.batch_size=16',
    'val_dataloader.dataset.frames=40',
    'model.backbone.channels=16',
    'custom_hooks.0.loss_net.embed_dims=16',
    'custom_hooks.0.loss_net.num_heads=2',
    'custom_hooks.0.loss_net.depth=2',
]


def script(name, *arguments, **environment):
    return subprocess.run(
        ['bash', f'{ROOT}/tools/{name}', *map(str, arguments)],
        env={**os.environ, 'OMP_NUM_THREADS': '1', **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def slurm_variables(rank):
    """The environment of one of two tasks; ``rank`` is its number."""
    ours = {
        'SLURM_JOB_ID': '42',
        'SLURM_NODELIST': 'node[3-4]',
        'SLURM_NTASKS': '2',
        'SLURM_PROCID': str(rank),
        'SLURM_LOCALID': str(rank),
    }
    outer = ('MASTER_ADDR', 'MASTER_PORT')
    return {k: v for k, v in os.environ.items() if k not in outer} | ours


@pytest.fixture
def recorder(tmp_path):
    """A program that writes its arguments into a file, and its exit codes from one."""

    def make(name, *codes):
        (tmp_path / f'{name}_codes').write_text('\n'.join(map(str, codes)))
        program = tmp_path / name
        program.write_text(
            f'#!/usr/bin/env bash\necho "{name} $*" >> {tmp_path}/calls\n'
            f'code=$(head -n 1 {tmp_path}/{name}_codes)\n'
            f'sed -i 1d {tmp_path}/{name}_codes\n'
            'exit ${code:-0}\n'
        )
        program.chmod(0o755)
        return str(program)

    def calls():
        return (tmp_path / 'calls').read_text().splitlines()

    make.calls = calls
    make.path = f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    return make


@pytest.fixture
def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return str(free.getsockname()[1])


def assert_trained_by_two(run, output):
    # Judged by what is there: not every torch gets through the exit after gloo.
    checkpoint = run / 'epoch_1.pth'
    assert checkpoint.is_file(), output
    content = torch.load(checkpoint, weights_only=True)
    # 128 windows: with 16 for each of two processes four iterations, not eight.
    assert content['meta']['iter'] == 4
    assert 'seal' in content


def test_two_processes_train_on_the_cpu(tmp_path, free_port):
    pytest.importorskip('torch.distributed.run')
    done = script(
        'dist_train.sh', ROOT / CONFIG, 2, '--work-dir', tmp_path / 'run',
        '--cfg-options', *OPTIONS, PYTHON=sys.executable, PORT=free_port,
    )  # fmt: skip
    assert_trained_by_two(tmp_path / 'run', done.stderr)


def test_two_slurm_tasks_train_on_the_cpu(tmp_path, free_port, recorder):
    """As srun sets the variables, and with what else stands in a job's environment."""
    scontrol = Path(recorder('scontrol'))
    scontrol.write_text(scontrol.read_text().replace('exit', 'echo 127.0.0.1\nexit'))
    command = [
        sys.executable, f'{ROOT}/tools/train.py', f'{ROOT}/{CONFIG}',
        '--work-dir', f'{tmp_path}/run', '--launcher', 'slurm',
        '--cfg-options', *OPTIONS,
    ]  # fmt: skip
    tasks = [
        subprocess.Popen(
            command,
            env={
                **slurm_variables(rank),
                'OMP_NUM_THREADS': '1',
                'MASTER_PORT': free_port,
                'PATH': recorder.path,
                # Of a launcher around the job; not of this run.
                'WORLD_SIZE': '1',
                'RANK': '0',
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [task.communicate(timeout=120)[0] for task in tasks]
    finally:
        for task in tasks:
            task.kill()
    assert_trained_by_two(tmp_path / 'run', '\n'.join(outputs))
    assert recorder.calls() == ['scontrol show hostnames node[3-4]'] * 2


def test_train_arguments_reach_every_machine(recorder):
    python = recorder('python')
    done = script(
        'dist_train.sh', CONFIG, 8, '--amp', PYTHON=python,
        NNODES='2', NODE_RANK='1', MASTER_ADDR='10.0.0.1', PORT='29511',
    )  # fmt: skip
    assert done.returncode == 0
    assert recorder.calls() == [
        'python -m torch.distributed.run --nnodes=2 --node_rank=1 '
        '--master_addr=10.0.0.1 --master_port=29511 --nproc_per_node=8 '
        f'{ROOT}/tools/train.py {CONFIG} --launcher pytorch --amp'
    ]


def test_test_arguments_and_exit_code(recorder):
    done = script(
        'dist_test.sh', CONFIG, 'a.pth', 4, '--out', 'b c', PYTHON=recorder('python', 3)
    )
    assert done.returncode == 3
    assert recorder.calls() == [
        'python -m torch.distributed.run --nnodes=1 --node_rank=0 '
        '--master_addr=127.0.0.1 --master_port=29500 --nproc_per_node=4 '
        f'{ROOT}/tools/test.py {CONFIG} a.pth --launcher pytorch --out b c'
    ]


@pytest.mark.parametrize('name', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_too_few_arguments_show_the_usage(name):
    done = script(name, CONFIG)
    assert done.returncode == 2
    assert f'tools/{name}' in done.stderr


def slurm(recorder, *codes, scontrol_code=0, **environment):
    recorder('scontrol', scontrol_code)
    recorder('srun', *codes)
    done = script(
        'slurm_train.sh', 'part', 'name', CONFIG, 'work', '--seed', '1',
        PYTHON='py', PATH=recorder.path, GPUS='16', **environment,
    )  # fmt: skip
    return done.returncode, recorder.calls()


def test_slurm_starts_one_task_for_each_gpu(recorder):
    code, (call,) = slurm(recorder, 0, SRUN_ARGS='--time=60 --exclusive')
    assert code == 0
    assert call == (
        'srun --partition=part --job-name=name --ntasks=16 --ntasks-per-node=8 '
        '--gres=gpu:8 --cpus-per-task=5 --kill-on-bad-exit=0 --wait=300 --time=60 '
        '--exclusive '
        f'py -u {ROOT}/tools/train.py {CONFIG} --work-dir work --launcher slurm '
        '--seed 1'
    )


def test_slurm_starts_a_stopped_run_again(recorder):
    code, calls = slurm(recorder, 75, 75, 0)
    assert code == 0
    assert ['--resume' in call for call in calls] == [False, True, True]


def test_slurm_keeps_the_code_of_a_failure(recorder):
    code, calls = slurm(recorder, 75, 1)
    assert (code, len(calls)) == (1, 2)


def test_slurm_gives_up_in_the_end(recorder):
    code, calls = slurm(recorder, *[75] * 9, MAX_REQUEUES='2')
    assert (code, len(calls)) == (75, 3)


def test_slurm_requeues_the_job_it_is_in(recorder):
    code, calls = slurm(recorder, 75, 0, SLURM_JOB_ID='42')
    assert code == 0
    assert [call.split()[0] for call in calls] == ['srun', 'scontrol']
    assert calls[1] == 'scontrol requeue 42'


def test_slurm_keeps_the_code_where_the_job_cannot_be_requeued(recorder):
    """As in a job of salloc, or of sbatch --no-requeue."""
    code, calls = slurm(recorder, 75, 0, scontrol_code=1, SLURM_JOB_ID='42')
    assert code == 75
    assert [call.split()[0] for call in calls] == ['srun', 'scontrol']


def test_slurm_resumes_a_requeued_job(recorder):
    _, calls = slurm(recorder, 0, SLURM_JOB_ID='42', SLURM_RESTART_COUNT='1')
    assert '--resume' in calls[0]
