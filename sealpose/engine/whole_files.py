"""Checkpoints on disk: whole or not at all, also when the power goes."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

from sealpose.evaluation.files import whole_file

POINTER = 'last_checkpoint'
UNFINISHED = ('.*.pth.*.tmp', f'.{POINTER}.*.tmp')


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file that replaces an older one of its name when it is complete.

    It is written beside it under another name, forced to the disk, and renamed, so that
    a process that dies at any moment leaves the old file or the new one.

    Args:
        path: Where to.
        content: What the file holds.

    Raises:
        OSError: it cannot be written; an older file is as it was.
    """
    with whole_file(path) as temporary, open(temporary, 'wb') as file:
        _write(file, content)
        file.flush()
        os.fsync(file.fileno())
    # The new name is an entry of the folder, which not every file system can sync.
    with contextlib.suppress(OSError):
        folder = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_unfinished(folder: str | Path) -> None:
    """Remove what a process that died while writing a checkpoint has left.

    Args:
        folder: Of the checkpoints.
    """
    for path in (path for each in UNFINISHED for path in Path(folder).glob(each)):
        with contextlib.suppress(OSError):
            path.unlink()


class WholeFileBackend(LocalBackend):
    """mmengine's files on disk, written by :func:`write_whole`."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_whole(filepath, obj)


register_backend('whole_file', WholeFileBackend, force=True)


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
