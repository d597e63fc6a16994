"""Checkpoints from the web, kept so that each is fetched once."""

import hashlib
import re
import shutil
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.parse import unquote, urlparse

import torch

from sealpose.evaluation.files import whole_file

# mixste-1a2b3c4d.pth: the name of a file that tells how its SHA-256 begins.
HASH_IN_NAME = re.compile(r'-([0-9a-f]{8,64})\.\w+$')
TIMEOUT_SECONDS = 30


def is_url(path: str | Path) -> bool:
    """Whether a path is an address on the web."""
    return str(path).startswith(('http://', 'https://'))


def download(url: str) -> Path:
    """Return the local copy of a file on the web, fetched if there is none yet.

    Copies are kept in ``checkpoints/`` of torch's hub folder (``TORCH_HOME``).

    Args:
        url: Its address. A name such as ``mixste-1a2b3c4d.pth`` tells how the SHA-256
            of the file begins, and is checked.

    Raises:
        ConnectionError: the file cannot be fetched whole.
        ValueError: its SHA-256 is not the one in its name.
    """
    name = Path(unquote(urlparse(url).path)).name
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    path = folder / f'{hashlib.sha256(url.encode()).hexdigest()[:12]}-from-{name}'
    if path.is_file():
        return path
    with whole_file(path) as temporary:
        try:
            _fetch(url, temporary)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f'{url} could not be downloaded: {error}') from error
        _check_hash(url, name, temporary)
    return path


def _fetch(url: str, path: Path) -> None:
    with (
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer,
        open(path, 'wb') as file,
    ):
        shutil.copyfileobj(answer, file)
        expected = answer.headers.get('Content-Length')
    size = path.stat().st_size
    if expected is not None and size != int(expected):
        raise ConnectionError(f'only {size} of its {expected} bytes arrived')


def _check_hash(url: str, name: str, path: Path) -> None:
    expected = HASH_IN_NAME.search(name)
    if expected is None:
        return
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if not found.startswith(expected[1]):
        raise ValueError(
            f'{url} is not the file that its name announces: its SHA-256 begins '
            f'{found[: len(expected[1])]}, not {expected[1]}'
        )
