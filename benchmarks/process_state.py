"""How much memory this process holds, and how fast the machine is for it just now."""

import ctypes
import resource
import statistics
import time
from pathlib import Path

import torch
from torch import nn


class Reference:
    """A training step that stays what it is, to tell how fast the machine is now."""

    def __init__(self) -> None:
        layers = [nn.Linear(34, 512), nn.ReLU()]
        for _ in range(4):
            layers += [nn.Linear(512, 512), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(512, 51))
        # Without a learning rate the weights stay.
        self.optimizer = torch.optim.Adam(self.network.parameters(), 0.0, fused=True)
        self.x = torch.randn(64, 34)

    def time(self, repeats: int = 9) -> float:
        """Return the median processor time of a step, ms."""
        times = []
        for _ in range(repeats):
            begin = time.process_time()
            self.optimizer.zero_grad()
            self.network(self.x).square().mean().backward()
            self.optimizer.step()
            times.append(time.process_time() - begin)
        return 1e3 * statistics.median(times)


class MallInfo(ctypes.Structure):
    """What glibc's mallinfo2 returns; see malloc.h."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ('arena', 'ordblks', 'smblks', 'hblks')),
        *((name, ctypes.c_size_t) for name in ('hblkhd', 'usmblks', 'fsmblks')),
        *((name, ctypes.c_size_t) for name in ('uordblks', 'fordblks', 'keepcost')),
    ]


def resident_bytes() -> int:
    """Return the resident memory of this process, without what malloc can give back."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize()


def heap_bytes() -> float:
    """Return what malloc has handed out, NaN where the system does not tell."""
    mallinfo = getattr(ctypes.CDLL(None), 'mallinfo2', None)
    if mallinfo is None:
        return float('nan')
    mallinfo.restype = MallInfo
    info = mallinfo()
    return info.uordblks + info.hblkhd
