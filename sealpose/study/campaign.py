"""Does the runs of a study, as many at a time as there are processes."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealpose.study.figures import RunFigures
from sealpose.study.plan import Plan, Task
from sealpose.study.pool import Pool
from sealpose.study.reuse import adopt_training, find_trainings
from sealpose.study.run import RunRequest


@dataclass(frozen=True)
class Failure:
    """A run that could not be done.

    Attributes:
        run: Which.
        error: What went wrong, in a line.
        log: File with the whole story; None if it never started.
    """

    run: str
    error: str
    log: Path | None = None

    def __str__(self) -> str:
        where = f' ({self.log})' if self.log else ''
        return f'{self.run}: {self.error}{where}'


class Campaign:
    """The runs of a study on their way.

    Args:
        plan: The plan.
        pool: Where the runs are done.
        say: Takes a line for the user.
        others: Folders of other studies, whose trainings may be used.

    Attributes:
        failures: What went wrong so far.
    """

    def __init__(
        self,
        plan: Plan,
        pool: Pool,
        say: Callable[[str], None],
        others: Sequence[Path] = (),
    ) -> None:
        self.plan = plan
        self.pool = pool
        self.say = say
        self.failures: dict[Task, Failure] = {}
        self._done: set[Task] = set()
        self._running: dict[RunRequest, Task] = {}
        self._total = 0
        self._others = find_trainings(others)

    def run(self, tasks: Sequence[Task]) -> list[Failure]:
        """Do the runs that are not done yet.

        Args:
            tasks: The runs, with all that they need.

        Returns:
            What went wrong.
        """
        pending, self._total = list(tasks), len(tasks)
        while pending or not self.pool.is_empty:
            self._start_some(pending)
            if not self.pool.is_empty:
                for request, error in self.pool.wait():
                    self._finish(request, error)
        return list(self.failures.values())

    def _start_some(self, pending: list[Task]) -> None:
        """Start what can be started; drop what is done or cannot be."""
        skipped = []
        while self.pool.has_room and (task := self._next(pending)) is not None:
            pending.remove(task)
            if reason := self._obstacle(task):
                self._fail(task, Failure(str(task), reason))
                continue
            try:
                request = self.plan.request(task)
            except ValueError as error:
                self._fail(task, Failure(str(task), str(error)))
                continue
            if self.plan.finished(task):
                self._done.add(task)
                skipped.append(str(task))
                continue
            origin = self._others.get(request.training_hash)
            if request.weights is not None:
                adopt_training(request, request.weights)
            elif origin is not None and adopt_training(request, origin):
                self.say(f'{task}: trained already in {origin}')
            self._running[request] = task
            self.pool.submit(request)
        if skipped:
            self.say(f'skipping what is done: {", ".join(skipped)}')

    def _next(self, pending: Sequence[Task]) -> Task | None:
        over = self._done | set(self.failures)
        running = {request.folder for request in self._running}
        for task in pending:
            if over.issuperset(self.plan.needs(task)):
                request = None if self._obstacle(task) else self._try_request(task)
                # Two tasks can be one run: a tuned baseline and its best candidate.
                if request is None or request.folder not in running:
                    return task
        return None

    def _try_request(self, task: Task) -> RunRequest | None:
        try:
            return self.plan.request(task)
        except ValueError:
            return None

    def _obstacle(self, task: Task) -> str:
        for need in self.plan.needs(task):
            if need in self.failures and not self.plan.may_fail(task, need):
                return f'needs {need}, which failed'
        return ''

    def _finish(self, request: RunRequest, error: str | None) -> None:
        task = self._running.pop(request)
        if error is not None:
            log = request.folder / 'log.txt'
            self._fail(task, Failure(str(task), error, log if log.exists() else None))
            return
        self._done.add(task)
        figures = RunFigures(request.folder)
        first = request.measures[0]
        self.say(
            f'{self._count()} {task}: {figures.headline(first):.2f} {first} '
            f'({request.split}), {figures.result["seconds"]:.0f} s'
        )

    def _fail(self, task: Task, failure: Failure) -> None:
        self.failures[task] = failure
        self.plan.note_failure(task, failure.error)
        self.say(f'{self._count()} FAILED {failure}')

    def _count(self) -> str:
        return f'[{len(self._done) + len(self.failures)}/{self._total}]'


@contextmanager
def sole_user(work_dir: Path) -> Iterator[None]:
    """Keep a second program from doing the same runs at the same time.

    Args:
        work_dir: Folder of the study.

    Raises:
        ValueError: there is one already.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    with open(work_dir / '.lock', 'w', encoding='utf-8') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f'another study.py is running in {work_dir}; wait for it, or use '
                '--report-only to see what is done'
            ) from None
        yield
