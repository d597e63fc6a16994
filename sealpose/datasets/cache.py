"""Arrays of a data set, kept beside its files and mapped from there the next time."""

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from sealpose.datasets.sequences import SequenceStore

FOLDER = '.sealpose_cache'
# Part of the key: raise it when the arrays would come out differently.
VERSION = 1
ARRAYS = ('keypoints_2d', 'keypoints_3d', 'valid')
BLOCK = 1 << 22


def cached_store(
    build: Callable[[], SequenceStore],
    files: Sequence[Path],
    name: str,
    settings: dict[str, Any],
) -> SequenceStore:
    """Build a store, or map it from the cache of an earlier start.

    The cache lies beside the first file, under a key made of the contents of all files
    and of the settings, so that it is never stale. A damaged one is built again.

    Args:
        build: Reads the files.
        files: What is read; nothing is kept without files.
        name: Of the data set.
        settings: What else decides the arrays.
    """
    if not files or not all(file.is_file() for file in files):
        return build()
    folder = files[0].parent / FOLDER / f'{name}-{_key(files, settings)}'
    if folder.is_dir():
        try:
            return _load(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            print_log(
                f'the cache {folder} is damaged ({error}); reading the files again',
                logger='current',
                level=30,
            )
            shutil.rmtree(folder, ignore_errors=True)
    store = build()
    try:
        _save(store, folder)
    except OSError as error:
        print_log(f'no cache was written: {error}', logger='current', level=30)
        return store
    return _load(folder)


def _key(files: Sequence[Path], settings: dict[str, Any]) -> str:
    digest = hashlib.blake2b(repr((VERSION, sorted(settings.items()))).encode())
    for file in files:
        digest.update(file.name.encode())
        with open(file, 'rb') as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()[:20]


def _save(store: SequenceStore, folder: Path) -> None:
    """Write into a folder of another name, then rename: all or nothing."""
    folder.parent.mkdir(exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix='writing-', dir=folder.parent))
    try:
        checksums = {}
        for name in ARRAYS:
            array = getattr(store, name).numpy()
            np.save(temporary / f'{name}.npy', array)
            checksums[name] = _checksum(array)
        index = dict(sequences=store.sequences, checksums=checksums)
        (temporary / 'index.json').write_text(json.dumps(index), encoding='utf-8')
        # Another process may have been faster; its cache is as good.
        if not folder.is_dir():
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _load(folder: Path) -> SequenceStore:
    index = json.loads((folder / 'index.json').read_text(encoding='utf-8'))
    arrays = {}
    for name in ARRAYS:
        array = np.load(folder / f'{name}.npy', mmap_mode='c', allow_pickle=False)
        if _checksum(array) != index['checksums'][name]:
            raise ValueError(
                f'{name}.npy does not have the checksum it was written with'
            )
        arrays[name] = _as_tensor(array)
    return SequenceStore(**arrays, sequences=index['sequences'])


def _as_tensor(array: np.ndarray) -> Tensor:
    # Mapped copy-on-write, so torch takes it for writable; nothing ever writes.
    return torch.from_numpy(array)


def _checksum(array: np.ndarray) -> int:
    flat = array.reshape(-1).view(np.uint8)
    value = 0
    for start in range(0, len(flat), BLOCK):
        value = zlib.crc32(flat[start : start + BLOCK], value)
    return value
