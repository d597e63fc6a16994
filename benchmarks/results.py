"""What every benchmark tells of where it ran, and how it writes its figures."""

import json
import os
import platform
from pathlib import Path

import mmengine
import numpy as np
import torch


def machine(device: torch.device) -> dict[str, str | int]:
    """Describe the machine and the versions that figures belong to.

    Args:
        device: Where the benchmark computes.
    """
    name = _processor()
    if device.type == 'cuda':
        name = torch.cuda.get_device_name(device)
    return {
        'device': f'{device.type}: {name}',
        'cores': os.cpu_count() or 1,
        'threads': torch.get_num_threads(),
        'system': platform.platform(),
        'python': platform.python_version(),
        'torch': torch.__version__,
        'mmengine': mmengine.__version__,
        'numpy': np.__version__,
    }


def headline(device: torch.device) -> str:
    """Return the machine in one line, for the head of a table."""
    found = machine(device)
    return (
        f'{found["device"]}, {found["threads"]} of {found["cores"]} cores, '
        f'torch {found["torch"]}, numpy {found["numpy"]}, Python {found["python"]}'
    )


def write_json(
    path: str | Path, rows: list[dict], device: torch.device, **settings: object
) -> None:
    """Write figures with the machine, the versions and the settings.

    Args:
        path: Where to.
        rows: The rows of the table.
        device: Where the benchmark computed.
        settings: What the benchmark was told to do.
    """
    data = {'machine': machine(device), 'settings': settings, 'rows': rows}
    Path(path).write_text(json.dumps(data, indent=2) + '\n', encoding='utf-8')


def _processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()
