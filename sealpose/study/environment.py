"""Where and with what a run was made."""

import hashlib
import platform
import subprocess
from functools import cache
from pathlib import Path

import torch

import sealpose

PACKAGE = Path(sealpose.__file__).parent


@cache
def describe_environment() -> dict[str, str | int]:
    """Return versions, machine and code, as plain values."""
    return dict(
        sealpose=sealpose.__version__,
        commit=_commit(),
        code=_digest_of_code(),
        python=platform.python_version(),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        cpu=_cpu_name(),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else 'cpu',
        system=platform.platform(),
    )


def _commit() -> str:
    command = ['git', '-C', str(PACKAGE), 'rev-parse', '--short=12', 'HEAD']
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ''
    return done.stdout.strip()


def _digest_of_code() -> str:
    """Digest of the sources that a run is made by, whether committed or not."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob('*.py')):
        if not path.is_relative_to(PACKAGE / 'study'):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _cpu_name() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    names = [line.split(':', 1)[1].strip() for line in lines if 'model name' in line]
    return names[0] if names else platform.processor() or platform.machine()
