"""Arms against the baseline: which runs there are, and what they say."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, median, stdev

from sealpose.study.figures import Measure, RunFigures, list_measures
from sealpose.study.plan import Plan, Task
from sealpose.study.run import training_seconds
from sealpose.study.spec import Arm, Study, needs
from sealpose.study.statistics import Paired, bootstrap_subjects, paired_difference

Runs = Mapping[int, RunFigures]


@dataclass(frozen=True)
class Entry:
    """A figure of an arm, over its seeds.

    Attributes:
        mean: Mean over the seeds.
        sd: Standard deviation over the seeds; NaN for a single one.
        per_seed: Seed to figure.
        paired: Difference to the baseline; None for the baseline itself, and where the
            two cannot be compared.
        bootstrap: 95 % interval of the difference over subjects and seeds.
    """

    mean: float
    sd: float
    per_seed: dict[int, float]
    paired: Paired | None = None
    bootstrap: tuple[float, float] | None = None

    @property
    def verdict(self) -> int:
        """Sign of the difference if its interval excludes 0, else 0."""
        if self.paired is None or not math.isfinite(self.paired.half):
            return 0
        return (self.paired.low > 0) - (self.paired.high < 0)


@dataclass(frozen=True)
class ArmResult:
    """What the runs of an arm say.

    Attributes:
        name: The arm.
        missing: Seeds without a run.
        notes: What sets its training apart.
        fault: Why it cannot be compared with the baseline; empty if it can.
        updates: Updates of the pose-net.
        wall_seconds: Median seconds from start to end of the training.
        seconds: The same as arms are compared: in processor time on a CPU.
        figures: Measure to figure.
        per_action: Measure to action to figure.
        per_subject: Measure to subject to figure.
        per_joint: Joint to its mean error, mm.
    """

    name: str
    missing: list[int]
    notes: list[str]
    fault: str = ''
    updates: int = 0
    wall_seconds: float = math.nan
    seconds: float = math.nan
    figures: dict[str, Entry] = field(default_factory=dict)
    per_action: dict[str, dict[str, Entry]] = field(default_factory=dict)
    per_subject: dict[str, dict[str, Entry]] = field(default_factory=dict)
    per_joint: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """All arms of a study.

    Attributes:
        study: The study.
        measures: The columns.
        arms: The results, the baseline first, then the arms that only perturb it.
        about: Facts on data and environment, as plain values.
    """

    study: Study
    measures: list[Measure]
    arms: list[ArmResult]
    about: dict

    def to_dict(self) -> dict:
        """Return everything as plain values for JSON."""
        return dict(
            study=self.study.name,
            baseline=self.study.baseline,
            split=self.study.split,
            seeds=list(self.study.seeds),
            measures={m.name: asdict(m) for m in self.measures},
            **self.about,
            arms={arm.name: asdict(arm) for arm in self.arms},
        )


def compare(plan: Plan) -> Comparison:
    """Compare what there is so far.

    Args:
        plan: The plan of the study.
    """
    study = plan.study
    runs = {arm: _load(plan, arm) for arm in study.arms}
    measures = list_measures(study.measures)
    base = runs[study.baseline]
    order = sorted(study.arms.values(), key=lambda arm: _rank(arm, study))
    results = [_arm_result(arm, runs[arm.name], base, study, measures) for arm in order]
    return Comparison(study, measures, results, _about(runs))


def _load(plan: Plan, arm: str) -> dict[int, RunFigures]:
    requests = {s: plan.finished(Task(arm, s)) for s in plan.study.seeds}
    return {s: RunFigures(r.folder) for s, r in requests.items() if r is not None}


def is_repeat(arm: Arm, study: Study) -> bool:
    """Whether an arm is the baseline but for a perturbation: the noise floor."""
    baseline = study.arms[study.baseline]
    return (
        arm.perturb != 0
        and (arm.config or study.base) == (baseline.config or study.base)
        and arm.overrides == baseline.overrides
        and not (arm.tune or needs(arm))
    )


def _rank(arm: Arm, study: Study) -> int:
    return 0 if arm.name == study.baseline else 1 if is_repeat(arm, study) else 2


def _arm_result(
    arm: Arm, runs: Runs, base: Runs, study: Study, measures: Sequence[Measure]
) -> ArmResult:
    missing = [seed for seed in study.seeds if seed not in runs]
    notes = _notes(arm, study)
    if not runs:
        return ArmResult(arm.name, missing, notes)
    own = arm.name == study.baseline
    fault = '' if own else _fault(study.trained_as(arm), runs, base)
    common = set(runs) & set(base)
    if not common:
        notes.append('no seed in common with the baseline yet')
    elif not own and _other_architecture(runs, base):
        notes.append('another architecture')
    if common and _codes(runs) != _codes(base):
        notes.append('trained by other code than the baseline; see the environments')
    pairs = {} if own or fault else {s: (runs[s], base[s]) for s in runs if s in base}

    def entry(figure: Callable[[RunFigures], float]) -> Entry:
        return _entry(figure, runs, pairs)

    return ArmResult(
        name=arm.name,
        missing=missing,
        notes=notes,
        fault=fault,
        updates=next(iter(runs.values())).result['updates'],
        wall_seconds=median(run.result['seconds'] for run in runs.values()),
        seconds=median(training_seconds(run.result) for run in runs.values()),
        figures={m.name: _headline(m.name, entry, pairs) for m in measures},
        per_action=_groups('action', measures, runs, pairs),
        per_subject=_groups('subject', measures, runs, pairs),
        per_joint=_entries(
            {seed: run.per_joint() for seed, run in runs.items()},
            {seed: run.per_joint() for seed, (_, run) in pairs.items()},
        ),
    )


def _entry(figure: Callable, runs: Runs, pairs: Mapping) -> Entry:
    values = {seed: figure(run) for seed, run in runs.items()}
    reference = {seed: figure(base) for seed, (_, base) in pairs.items()}
    return _summary(values, reference)


def _summary(values: Mapping[int, float], base: Mapping[int, float]) -> Entry:
    """Figures of an arm, and of the baseline for the seeds to be compared."""
    found = list(values.values())
    paired = None
    if base:
        paired = paired_difference([values[s] for s in base], list(base.values()))
    spread = stdev(found) if len(found) > 1 else math.nan
    return Entry(fmean(found), spread, dict(values), paired)


def _headline(measure: str, entry: Callable, pairs: Mapping) -> Entry:
    plain = entry(lambda run: run.headline(measure))
    cells = [(a.cells(measure), b.cells(measure)) for a, b in pairs.values()]
    if not cells or cells[0][0] is None:
        return plain
    arm, base = zip(*cells, strict=True)
    by_action = next(iter(pairs.values()))[0].by_action
    bootstrap = bootstrap_subjects(arm, base, by_action)
    return Entry(plain.mean, plain.sd, plain.per_seed, plain.paired, bootstrap)


def _groups(
    key: str, measures: Sequence[Measure], runs: Runs, pairs: Mapping
) -> dict[str, dict[str, Entry]]:
    base = {seed: run for seed, (_, run) in pairs.items()}
    return {
        m.name: _entries(
            {seed: getattr(run, f'per_{key}')(m.name) for seed, run in runs.items()},
            {seed: getattr(run, f'per_{key}')(m.name) for seed, run in base.items()},
        )
        for m in measures
    }


def _entries(
    values: Mapping[int, Mapping[str, float]], base: Mapping[int, Mapping[str, float]]
) -> dict[str, Entry]:
    names = next(iter(values.values()))
    return {
        name: _summary(
            {seed: table[name] for seed, table in values.items()},
            {seed: table[name] for seed, table in base.items()},
        )
        for name in names
    }


def _notes(arm: Arm, study: Study) -> list[str]:
    notes = []
    if is_repeat(arm, study):
        notes.append(
            f'the baseline again, initial weights perturbed by {arm.perturb:g}: '
            'the noise floor'
        )
    elif arm.perturb:
        notes.append(f'initial weights perturbed by {arm.perturb:g}')
    if arm.init_from:
        notes.append(f'starts from the last weights of {arm.init_from}')
    if arm.weights_of:
        notes.append(f'evaluates the weights of {arm.weights_of} in another way')
    if arm.wall_clock_of:
        notes.append(f'trains as long as {arm.wall_clock_of}')
    if arm.own_updates:
        notes.append('its own number of updates')
    return notes


def _fault(arm: Arm, runs: Runs, base: Runs) -> str:
    """Why an arm cannot be compared with the baseline; empty if it can."""
    for seed in sorted(set(runs) & set(base)):
        ours, theirs = runs[seed], base[seed]
        if ours.frames_seen != theirs.frames_seen:
            return f'other frames were evaluated (seed {seed})'
        if ours.result['joints'] != theirs.result['joints']:
            return f'other joints were evaluated (seed {seed})'
        if (
            not arm.init_from
            and ours.result['architecture'] == theirs.result['architecture']
            and ours.result['weights'] != theirs.result['weights']
        ):
            return f'other initial weights than those of the baseline (seed {seed})'
        updates = ours.result['updates'], theirs.result['updates']
        if updates[0] != updates[1] and not (arm.wall_clock_of or arm.own_updates):
            return (
                f'{updates[0]} updates where the baseline has {updates[1]} (seed '
                f'{seed}); own_updates=True says that it is meant so'
            )
    return ''


def _other_architecture(runs: Runs, base: Runs) -> bool:
    seed = next(seed for seed in runs if seed in base)
    key = 'architecture'
    return runs[seed].result[key] != base[seed].result[key]


def _codes(runs: Runs) -> set[str]:
    return {run.result['environment']['code'] for run in runs.values()}


def _about(runs: Mapping[str, Runs]) -> dict:
    every = [run for table in runs.values() for run in table.values()]
    if not every:
        return dict(dataset='', remarks='', frames=0, subjects=[], environments=[])
    environments = []
    for run in every:
        if run.result['environment'] not in environments:
            environments.append(run.result['environment'])
    first = every[0]
    return dict(
        dataset=first.result['dataset'],
        remarks=first.result['remarks'],
        mean='over actions' if first.by_action else 'over frames',
        frames=sum(first.frames_seen[-1]),
        subjects=first.subjects,
        environments=environments,
    )
