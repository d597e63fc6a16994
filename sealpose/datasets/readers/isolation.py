"""Reading in a process of its own, for libraries that damaged files crash or stall.

scipy crashes on some damaged .mat files, cdflib follows a damaged CDF file for ever.
"""

import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

# Largest file of a release: a second.
SECONDS = 60.0


class Readable(Protocol):
    """A file with a reader."""

    path: Path

    def read(self) -> Any:
        """Read the file."""


class IsolatedReader:
    """Reads files one by one in another process, and outlives whatever happens there.

    Args:
        seconds: Time for a file.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._context = multiprocessing.get_context(
            'fork' if sys.platform == 'linux' else 'spawn'
        )
        self._start()

    def __enter__(self) -> 'IsolatedReader':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def read(self, file: Readable) -> Any:
        """Return what ``file.read()`` returns, or raise what it raises.

        Args:
            file: The file; it is pickled, and so is the result.

        Raises:
            ValueError: the library crashed or did not come to an end.
        """
        self._connection.send(file)
        try:
            ended = self._connection.poll(self.seconds)
            result = self._connection.recv() if ended else None
        except (EOFError, ConnectionError):
            self._restart()
            raise ValueError(
                f'{file.path} cannot be read: it crashes the library that reads it; '
                'the file is damaged'
            ) from None
        if not ended:
            self._restart()
            raise ValueError(
                f'{file.path} cannot be read: no end after {self.seconds:g} seconds; '
                'the file is damaged'
            )
        if isinstance(result, Exception):
            raise result
        return result

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(theirs,), daemon=True
        )
        self._process.start()
        # Held by the other process alone, so that its end is noticed.
        theirs.close()

    def _stop(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    def _restart(self) -> None:
        self._stop()
        self._start()


def _serve(connection: Connection) -> None:
    while True:
        try:
            file = connection.recv()
        except EOFError:
            return
        try:
            result = file.read()
        except Exception as error:
            result = error
        connection.send(result)
