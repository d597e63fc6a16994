"""Processes that do one run after the other, and pay for the imports once."""

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path

import torch

from sealpose.study.run import RunRequest, execute

THREAD_VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


class Pool:
    """Persistent worker processes.

    A worker that dies takes its run with it and is replaced; the others go on.

    Args:
        jobs: Number of processes; 0 does the runs in this one, for a debugger.
        threads: CPU threads of each.
    """

    def __init__(self, jobs: int, threads: int = 1) -> None:
        # Read when torch is imported, which the workers have yet to do.
        self._threads = str(threads)
        self._context = multiprocessing.get_context('spawn')
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, RunRequest] = {}
        self._done: list[tuple[RunRequest, str | None]] = []
        self._jobs = jobs

    @property
    def has_room(self) -> bool:
        """Whether :meth:`submit` would start at once."""
        return len(self._busy) + len(self._done) < max(self._jobs, 1)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to wait for."""
        return not self._busy and not self._done

    def submit(self, request: RunRequest) -> None:
        """Start a run.

        Args:
            request: The run.
        """
        if self._jobs == 0:
            self._done.append((request, try_run(request)))
            return
        # One may have been killed while it had nothing to do.
        alive = [worker for worker in self._idle if worker.process.is_alive()]
        worker = alive.pop() if alive else self._start()
        self._idle = alive
        worker.connection.send(request)
        self._busy[worker] = request

    def wait(self) -> Iterator[tuple[RunRequest, str | None]]:
        """Wait until a run is over, and yield those that are.

        Yields:
            The run, and what went wrong; None if it is done.
        """
        done, self._done = self._done, []
        if not done:
            connections = {worker.connection: worker for worker in self._busy}
            for connection in wait(list(connections)):
                worker = connections[connection]
                request = self._busy.pop(worker)
                try:
                    error = connection.recv()
                    self._idle.append(worker)
                except EOFError:
                    worker.process.join()
                    error = (
                        'its process ended with the code '
                        f'{worker.process.exitcode} (negative: by a signal, -9 is '
                        'often a lack of memory)'
                    )
                done.append((request, error))
        yield from done

    def close(self) -> None:
        """End the workers, and what they are doing."""
        for worker in [*self._idle, *self._busy]:
            worker.process.kill()  # a run may be killed at any time
            worker.process.join()
        self._idle, self._busy = [], {}

    def _start(self) -> '_Worker':
        before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, self._threads))
        try:
            return _Worker(self._context)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


class _Worker:
    def __init__(self, context: multiprocessing.context.SpawnContext) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()


def try_run(request: RunRequest) -> str | None:
    """Do a run; return what went wrong, its traceback being in the log of the run.

    Args:
        request: The run.
    """
    try:
        execute(request)
    except Exception as error:
        traceback.print_exc()
        text = str(error).strip().splitlines()
        return f'{type(error).__name__}: {text[0] if text else ""}'
    return None


def _work(connection: Connection) -> None:
    torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        with _output_to(request.folder / 'log.txt'):
            error = try_run(request)
        connection.send(error)


def _end_with_parent() -> None:
    """End this process when the main one has died: a new one may do its runs."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Write what the process prints to a file, whoever prints it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [os.dup(1), os.dup(2)]
    with open(path, 'a', encoding='utf-8') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, source in enumerate(kept, start=1):
                os.dup2(source, target)
                os.close(source)
