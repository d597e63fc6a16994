"""What a study has to run, in which order, and with which settings."""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealpose.study import tuning as tuning_module
from sealpose.study.figures import RunFigures
from sealpose.study.resolve import fingerprint, grid, lengthen, resolve
from sealpose.study.run import (
    RunRequest,
    has_failed,
    is_done,
    note_failure,
    read_notes,
    write_notes,
)
from sealpose.study.spec import Arm, Study, needs
from sealpose.study.tuning import Candidate, Choice
from sealpose.study.wall_clock import stretch


@dataclass(frozen=True)
class Task:
    """A run to be done.

    Attributes:
        arm: Name of the arm.
        seed: Seed; that of tuning says that the validation split is evaluated.
        candidate: Which of the values to try; None for the chosen ones.
    """

    arm: str
    seed: int
    candidate: int | None = None

    def __str__(self) -> str:
        tried = '' if self.candidate is None else f' candidate {self.candidate}'
        return f'{self.arm}{tried} seed {self.seed}'


class Plan:
    """Turns arms and seeds into runs.

    Nothing is remembered but what was computed: what is done, the folders say.

    Args:
        study: The study.
        work_dir: Where all of it lies.

    Raises:
        ValueError: a config of the study cannot be made.
    """

    def __init__(self, study: Study, work_dir: Path) -> None:
        self.study = study
        self.work_dir = work_dir
        self._requests: dict[Task, RunRequest] = {}
        self._over: set[Task] = set()
        self._choices: dict[str, Choice] = {}
        self._pace: dict[str, str] = {}
        self._check_configs()

    def tasks(self, arms: Sequence[str], seeds: Sequence[int]) -> list[Task]:
        """Return all runs of some arms, with those that they need, in order.

        Args:
            arms: Names.
            seeds: Seeds of the study.
        """
        found: dict[Task, None] = {}

        def add(task: Task) -> None:
            for need in self.needs(task):
                add(need)
            found[task] = None

        for seed in seeds:
            for arm in arms:
                add(Task(arm, seed))
        # Those for tuning first: others wait for them.
        tuning = self.study.tuning_seeds
        return sorted(found, key=lambda task: task.seed not in tuning)

    def needs(self, task: Task) -> list[Task]:
        """Return the runs that must be over before this one can start."""
        arm = self.study.arms[task.arm]
        found = []
        if arm.tune and task.candidate is None:
            for seed in self.study.tuning.seeds:
                if arm.name != self.study.baseline:
                    found.append(Task(self.study.baseline, seed))
                found += [Task(arm.name, seed, c) for c in range(len(grid(arm)))]
        for origin in arm.init_from, arm.weights_of:
            if origin:
                found.append(Task(origin, task.seed))
        if arm.wall_clock_of:
            timed = arm.wall_clock_of, self._pace[arm.name]
            found += [Task(name, s) for s in self.study.seeds for name in timed]
        return [need for need in found if need != task]

    def may_fail(self, task: Task, need: Task) -> bool:
        """Whether a run can go on although one that it needs has failed."""
        arm = self.study.arms[task.arm]
        return need.arm not in (arm.init_from, arm.weights_of)

    def request(self, task: Task) -> RunRequest:
        """Return the settings of a run; what it needs must be over.

        Args:
            task: The run.

        Raises:
            ValueError: what it needs has failed altogether.
        """
        if task not in self._requests:
            self._requests[task] = self._make(task)
        return self._requests[task]

    def finished(self, task: Task) -> RunRequest | None:
        """Return the settings of a run if it is done, with just these settings."""
        if not all(self._is_over(need) for need in self.needs(task)):
            return None
        try:
            request = self.request(task)
        except ValueError:
            return None
        return request if is_done(request) else None

    def note_failure(self, task: Task, error: str) -> None:
        """Leave a note that a run went wrong, for those who report later."""
        with contextlib.suppress(ValueError):
            note_failure(self.request(task), error)

    def _is_over(self, task: Task) -> bool:
        """Whether a run is done or has failed, and so have those that it needs."""
        if task not in self._over:
            if not all(self._is_over(need) for need in self.needs(task)):
                return False
            try:
                request = self.request(task)
                if not (is_done(request) or has_failed(request)):
                    return False
            except ValueError:
                pass
            self._over.add(task)
        return True

    def choice(self, arm: Arm) -> Choice:
        """Return the tuned values of an arm, and write down what was tried.

        Args:
            arm: An arm with ``tune``.

        Raises:
            ValueError: every candidate failed.
        """
        if arm.name in self._choices:
            return self._choices[arm.name]
        tuning = self.study.tuning
        candidates = [
            self._candidate(arm, number, values)
            for number, values in enumerate(grid(arm))
        ]
        is_baseline = arm.name == self.study.baseline
        reference = None if is_baseline else self._candidate(self._baseline(), None, {})
        if reference is not None and not reference.figures and tuning.allow:
            raise ValueError('the baseline failed in tuning, so allow means nothing')
        made = None
        try:
            made = tuning_module.choose(candidates, tuning, reference)
        finally:
            notes = tuning_module.record(candidates, tuning, made)
            if reference is not None:
                notes['baseline'] = {
                    m: reference.mean(m) for m in self.study.tuning_measures
                }
            path = self.work_dir / 'tuning.json'
            write_notes(path, {**read_notes(path), arm.name: notes})
        self._choices[arm.name] = made
        return made

    def _make(self, task: Task) -> RunRequest:
        study, arm = self.study, self.study.arms[task.arm]
        tunes = task.seed in self.study.tuning_seeds
        values: Mapping[str, Any] = {}
        if task.candidate is not None:
            values = grid(arm)[task.candidate]
        elif study.trained_as(arm).tune:
            values = self.choice(study.trained_as(arm)).candidate.values
        cfg = resolve(study, arm, task.seed, values)
        if arm.wall_clock_of:
            lengthen(cfg, self._factor(arm))
        more: dict[str, Any] = {'perturb': arm.perturb, 'init': None}
        init = None
        if arm.init_from:
            origin = self.request(Task(arm.init_from, task.seed))
            init = origin.folder / 'last.pth'
            more['init'] = origin.training_hash
        training_hash, weights = fingerprint(cfg, **more), None
        if arm.weights_of:
            origin = self.request(Task(arm.weights_of, task.seed))
            training_hash, weights = origin.training_hash, origin.folder
            more['weights'] = training_hash
        split = 'val' if tunes else study.split
        measures = self.study.tuning_measures if tunes else study.measures
        folder = self.work_dir / 'runs' / arm.name
        if tunes:
            folder = self.work_dir / 'tuning' / arm.name / _digest(values)
        return RunRequest(
            label=f'{study.name}/{task}',
            arm=arm.name,
            seed=task.seed,
            folder=folder / f'seed_{task.seed}',
            config=cfg.to_dict(),
            split=split,
            measures=measures,
            training_hash=training_hash,
            result_hash=fingerprint(cfg, split, measures=measures, **more),
            perturb=arm.perturb,
            init=init,
            weights=weights,
            checkpoint_seconds=study.checkpoint_seconds,
        )

    def _check_configs(self) -> None:
        """Make every config once: a typo shall not be found after hours."""
        study = self.study
        plain: dict[str, str] = {}
        for arm in study.arms.values():
            prints = [
                fingerprint(resolve(study, arm, study.seeds[0], values))
                for values in grid(arm)
            ]
            if len(set(prints)) < len(prints):
                raise ValueError(
                    f'arm {arm.name!r}, tune: different values give the same config; '
                    f'check the paths {", ".join(arm.tune)}'
                )
            if not (arm.tune or needs(arm)):
                plain.setdefault(prints[0], arm.name)
            if arm.wall_clock_of:
                self._pace[arm.name] = prints[0]
        for name, digest in self._pace.items():
            if digest not in plain:
                raise ValueError(
                    f'arm {name!r}: to give it the time of another arm, its own pace '
                    'must be known, so the study needs an arm of the same config '
                    'without wall_clock_of'
                )
            self._pace[name] = plain[digest]

    def _factor(self, arm: Arm) -> float:
        """How many times longer an arm may train."""
        names = [arm.wall_clock_of, self._pace[arm.name]]
        runs = {
            name: [self.finished(Task(name, seed)) for seed in self.study.seeds]
            for name in names
        }
        runs = {name: [r for r in found if r] for name, found in runs.items()}
        return stretch(self.work_dir / 'lengths.json', arm.name, runs)

    def _candidate(
        self, arm: Arm, number: int | None, values: Mapping[str, Any]
    ) -> Candidate:
        runs = [
            self.finished(Task(arm.name, s, number)) for s in self.study.tuning_seeds
        ]
        if not all(runs):
            return Candidate(values)
        figures = [RunFigures(run.folder) for run in runs]
        measures = self.study.tuning_measures
        return Candidate(
            values, {m: [f.headline(m) for f in figures] for m in measures}
        )

    def _baseline(self) -> Arm:
        return self.study.arms[self.study.baseline]


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
