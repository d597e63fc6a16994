"""What Slurm says of a process, told to torch."""

import os

import pytest
from mmengine.config import Config

from sealpose.apis import launch

SLURM = {
    'SLURM_JOB_ID': '31234',
    'SLURM_NODELIST': 'node[3-4]',
    'SLURM_NTASKS': '16',
    'SLURM_PROCID': '11',
    'SLURM_LOCALID': '3',
}
TORCH = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT')


@pytest.fixture
def prepare(monkeypatch, tmp_path):
    """Prepare a launch by Slurm, without the processes; return what torch is told."""
    monkeypatch.setattr(launch, '_launch_on_cpu', lambda cfg: None)
    for name in (*SLURM, *TORCH):
        # Set first, so that it is undone whatever the code under test writes.
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)

    def run(scontrol='echo node3; echo node4', **variables):
        program = tmp_path / 'scontrol'
        program.write_text(f'#!/bin/sh\n{scontrol}\n')
        program.chmod(0o755)
        monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        launch.prepare_launch(Config(dict(launcher='slurm')))
        return {name: os.environ[name] for name in TORCH}

    return run


def test_torch_is_told_what_slurm_says(prepare):
    assert prepare(**SLURM) == {
        'RANK': '11',
        'LOCAL_RANK': '3',
        'WORLD_SIZE': '16',
        'MASTER_ADDR': 'node3',
        'MASTER_PORT': '21234',
    }


def test_address_and_port_of_the_user_stay(prepare):
    told = prepare('exit 1', **SLURM, MASTER_ADDR='10.0.0.1', MASTER_PORT='29511')
    assert (told['MASTER_ADDR'], told['MASTER_PORT']) == ('10.0.0.1', '29511')


def test_jobs_on_one_machine_meet_at_ports_of_their_own(prepare):
    first = prepare(**SLURM)['MASTER_PORT']
    del os.environ['MASTER_PORT']
    assert prepare(**SLURM | {'SLURM_JOB_ID': '31235'})['MASTER_PORT'] != first


def test_a_process_that_srun_did_not_start_is_an_error(prepare):
    inside_sbatch = {k: v for k, v in SLURM.items() if k != 'SLURM_PROCID'}
    with pytest.raises(ValueError, match=r'SLURM_PROCID not set; start .* with srun'):
        prepare(**inside_sbatch)


@pytest.mark.parametrize(
    ('scontrol', 'reason'),
    [('echo no controller >&2; exit 1', 'no controller'), ('exit 0', 'names nothing')],
)
def test_a_machine_without_a_name_is_an_error(prepare, scontrol, reason):
    with pytest.raises(OSError, match=rf'hostnames node\[3-4\].*{reason}.*MASTER_ADDR'):
        prepare(scontrol, **SLURM)


def test_no_scontrol_is_an_error(prepare, monkeypatch, tmp_path):
    monkeypatch.setattr(launch, 'SCONTROL', str(tmp_path / 'missing'))
    with pytest.raises(OSError, match='No such file.*set MASTER_ADDR'):
        prepare(**SLURM)
