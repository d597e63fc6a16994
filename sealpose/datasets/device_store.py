"""The arrays of a data set on the device that trains."""

import torch
from mmengine.device import get_device
from torch import Tensor
from torch.utils.data import get_worker_info

from sealpose.datasets.windows import Windows

# Beside the arrays must fit at least a model and its gradients.
SPARE_BYTES = 512 * 2**20


def on_training_device(windows: Windows) -> Windows:
    """Copy arrays and index to this process's device.

    To be called at the first batch, not earlier: launchers choose the device of each
    process after the data sets were built.

    Args:
        windows: In the memory of the host.

    Raises:
        MemoryError: the device has too little memory.
        RuntimeError: called in a worker process of a loader.
    """
    if get_worker_info() is not None:
        raise RuntimeError(
            'device_store=True gathers batches on the device, where worker processes '
            'cannot help; set num_workers=0 in the dataloader'
        )
    device = torch.device(get_device())
    if device.type == 'cpu':
        return windows
    _check_memory(size_of(windows), device)
    return windows.to(device)


def size_of(windows: Windows) -> int:
    """Return the bytes of arrays and index."""
    tensors = [windows.keypoints_2d, windows.keypoints_3d]
    tensors += [v for v in vars(windows.index).values() if isinstance(v, Tensor)]
    return sum(tensor.nbytes for tensor in tensors)


def _check_memory(needed: int, device: torch.device) -> None:
    free, total = getattr(torch, device.type).mem_get_info(device)
    if needed + SPARE_BYTES > free:
        raise MemoryError(
            f'device_store=True needs {_gigabytes(needed)} for the data set and '
            f'{_gigabytes(SPARE_BYTES)} to spare, but {device} has {_gigabytes(free)} '
            f'free of {_gigabytes(total)}; leave device_store out (batches then come '
            'from pinned memory of the host), or read fewer subjects or frames'
        )


def _gigabytes(size: int) -> str:
    return f'{size / 2**30:.2f} GiB'
