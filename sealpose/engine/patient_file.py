"""Log files that wait until there is room for them."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


class PatientFile:
    """A file of lines that are kept in memory while they cannot be written.

    Each line tries again to write all that wait. A line is in the file whole or not at
    all.

    Args:
        path: The file; it is appended to.
        tell: Called with a sentence when writing begins to fail, and when it works
            again.
    """

    def __init__(self, path: str | Path, tell: Callable[[str], None]) -> None:
        self.path = path
        self._tell = tell
        self._waiting: list[str] = []
        self._fails = False

    def append(self, line: str) -> None:
        """Write a line, now or later; raises nothing if it cannot.

        Args:
            line: Without its end.
        """
        self._waiting.append(line)
        self._try()

    def close(self) -> None:
        """Try once more; say what is lost."""
        if self._waiting:
            self._try()
        if self._waiting:
            self._tell(f'{len(self._waiting)} lines of {self.path} were not written')

    def _try(self) -> None:
        lines = len(self._waiting)
        text = ''.join(f'{line}\n' for line in self._waiting)
        try:
            _append(self.path, text.encode())
        except OSError as error:
            # First: what is told may end up in this very file.
            failed, self._fails = self._fails, True
            if not failed:
                self._tell(
                    f'{self.path} cannot be written: {error}. Training goes on; the '
                    'lines wait in memory until there is room'
                )
            return
        self._waiting.clear()
        failed, self._fails = self._fails, False
        if failed:
            self._tell(f'{self.path} can be written again; {lines} lines had waited')


def _append(path: str | Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(file).st_size
        try:
            _write(file, content)
        except OSError:
            # Half a line would spoil the next one.
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
