"""What mmengine's launchers leave undone, before a Runner starts them."""

import os
import subprocess

import torch
from mmengine.config import Config
from mmengine.device import get_device

SCONTROL = 'scontrol'
# What torch reads, and where Slurm says it.
SLURM_VARIABLES = {
    'RANK': 'SLURM_PROCID',
    'LOCAL_RANK': 'SLURM_LOCALID',
    'WORLD_SIZE': 'SLURM_NTASKS',
}
# Below the ports that Linux takes for outgoing connections.
FIRST_PORT, PORTS = 20000, 10000


def prepare_launch(cfg: Config) -> None:
    """Make a run on the CPU possible, and several Slurm jobs on one machine.

    Args:
        cfg: Config of the run; without a GPU it gets a ``model_wrapper_cfg``.

    Raises:
        ValueError: ``cfg.launcher`` is ``slurm``, but srun did not start this process.
        OSError: Slurm does not tell the machine of the main process.
    """
    launcher = cfg.get('launcher', 'none')
    if launcher == 'slurm':
        _take_from_slurm()
    if launcher != 'none' and get_device() == 'cpu':
        _launch_on_cpu(cfg)


def _take_from_slurm() -> None:
    """Tell torch what Slurm says of this process.

    As mmengine does on a GPU, but for the port: jobs that share a machine would
    otherwise all meet at the same one.
    """
    needed = ['SLURM_JOB_ID', 'SLURM_NODELIST', *SLURM_VARIABLES.values()]
    missing = [name for name in needed if name not in os.environ]
    if missing:
        raise ValueError(
            f'the launcher is slurm, but {", ".join(missing)} not set; start the run '
            'with srun or tools/slurm_train.sh, or leave --launcher out for one process'
        )
    for name, source in SLURM_VARIABLES.items():
        os.environ[name] = os.environ[source]
    job = int(os.environ['SLURM_JOB_ID'])
    os.environ.setdefault('MASTER_PORT', str(FIRST_PORT + job % PORTS))
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = _first_machine(os.environ['SLURM_NODELIST'])


def _first_machine(nodes: str) -> str:
    """Return the first name of a list as Slurm writes it, such as ``node[3-5,9]``."""
    command = [SCONTROL, 'show', 'hostnames', nodes]
    fault = 'it names nothing'
    try:
        shown = subprocess.run(command, check=True, capture_output=True, text=True)
        if names := shown.stdout.split():
            return names[0]
    except subprocess.CalledProcessError as error:
        fault = error.stderr.strip() or str(error)
    except OSError as error:
        fault = str(error)
    raise OSError(
        f'cannot find where the processes meet with "{" ".join(command)}": {fault}; '
        'set MASTER_ADDR to the name of the first machine'
    )


def _launch_on_cpu(cfg: Config) -> None:
    """Start the process group that mmengine's launcher cannot start without CUDA."""
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
    )
