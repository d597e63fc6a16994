"""What a study file says, read and checked."""

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sealpose.evaluation.metrics.pose_metric import ALL_METRICS
from sealpose.registry import FRAME_METRICS

SPLITS = ('val', 'test')
# Entries of an arm that name another one, and those that say how it trains.
ORIGINS = ('wall_clock_of', 'init_from', 'weights_of')
TRAINING = ('tune', 'perturb', 'wall_clock_of', 'init_from', 'own_updates')


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes:
        name: Its name in the tables.
        config: Its config; the ``base`` of the study if None.
        overrides: Merged into the config, after those of the study.
        tune: Dotted path in the config to the values to try; the grid is their product.
        perturb: The initial weights are multiplied by 1 + perturb * Gaussian.
        wall_clock_of: Arm whose training time this one may use up, with more epochs.
        init_from: Arm from whose last weights, of the same seed, this one starts.
        weights_of: Arm whose last weights, of the same seed, this one evaluates with
            overrides of its own, such as another flip; it does not train.
        own_updates: Its number of updates differs from the baseline's on purpose.
    """

    name: str
    config: str | None = None
    overrides: dict = field(default_factory=dict)
    tune: dict[str, list] = field(default_factory=dict)
    perturb: float = 0.0
    wall_clock_of: str | None = None
    init_from: str | None = None
    weights_of: str | None = None
    own_updates: bool = False


@dataclass(frozen=True)
class Tuning:
    """How the values of ``Arm.tune`` are chosen, on the validation split.

    Attributes:
        seeds: Trained with each candidate; none of them is a seed of the study.
        measure: The candidate with the best mean of it is taken.
        allow: Measure to how much worse than the baseline a candidate may be in it.
        split: Always ``val``.
    """

    seeds: tuple[int, ...]
    measure: str
    allow: dict[str, float] = field(default_factory=dict)
    split: str = 'val'


@dataclass(frozen=True)
class Study:
    """Arms to compare, and how.

    Attributes:
        path: The study file.
        arms: Name to arm, in the order of the tables.
        seeds: Trained with each arm.
        baseline: Arm that the others are compared with.
        base: Config of arms that name none.
        overrides: Merged into the config of every arm.
        measures: Names from FRAME_METRICS.
        tuning: How to choose values; needed where an arm has ``tune``.
        split: What the tables show; ``val`` while searching, ``test`` to conclude.
        checkpoint_seconds: Training time between two checkpoints to resume from.
    """

    path: Path
    arms: dict[str, Arm]
    seeds: tuple[int, ...]
    baseline: str
    base: str | None = None
    overrides: dict = field(default_factory=dict)
    measures: tuple[str, ...] = ALL_METRICS
    tuning: Tuning | None = None
    split: str = 'test'
    checkpoint_seconds: float = 120.0

    @property
    def name(self) -> str:
        """Name of the study: its file without the ending."""
        return self.path.stem

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """Seeds that values are chosen with; none if nothing is tuned."""
        return self.tuning.seeds if self.tuning else ()

    @property
    def tuning_measures(self) -> tuple[str, ...]:
        """What is measured of a candidate."""
        wanted = (self.tuning.measure, *self.tuning.allow, *self.measures)
        return tuple(dict.fromkeys(wanted))

    def trained_as(self, arm: Arm) -> Arm:
        """Return the arm whose training an arm has: its own, or that of another."""
        while arm.weights_of:
            arm = self.arms[arm.weights_of]
        return arm


def load_study(path: str | Path) -> Study:
    """Read a study file.

    It is Python code and is run: use only those that you trust. Names that begin with
    an underscore are its own.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no valid study; the message says what to change.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no study {path}')
    entries = Config.fromfile(path, lazy_import=False).to_dict()
    entries = {k: v for k, v in entries.items() if not k.startswith('_')}
    _check_keys(Study, entries, str(path), given={'path'})
    arms = {}
    for name, arm in entries['arms'].items():
        _check_keys(Arm, arm, f'{path}, arm {name!r}', given={'name'})
        arms[name] = Arm(name=name, **arm)
    tuning = entries.get('tuning')
    if tuning is not None:
        _check_keys(Tuning, tuning, f'{path}, tuning')
        tuning = Tuning(**{**tuning, 'seeds': tuple(tuning['seeds'])})
    for key in ('seeds', 'measures'):
        if key in entries:
            entries[key] = tuple(entries[key])
    study = Study(**{**entries, 'path': path, 'arms': arms, 'tuning': tuning})
    try:
        _check_study(study)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return study


def _check_keys(
    kind: type, entries: Mapping, where: str, given: frozenset | set = frozenset()
) -> None:
    fields = {f.name: f for f in dataclasses.fields(kind) if f.name not in given}
    for key in entries:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise ValueError(
                f'{where} has the unknown entry {key!r}{hint} Expected some of '
                f'{", ".join(fields)} (names of your own begin with an underscore)'
            )
    for key, entry in fields.items():
        missing = dataclasses.MISSING
        if entry.default is missing and entry.default_factory is missing:
            _require(key in entries, f'{where} lacks the entry {key!r}')


def _check_study(study: Study) -> None:
    _require(study.arms, 'arms: expected at least one arm')
    _check_seeds('seeds', study.seeds)
    _require(
        study.baseline in study.arms,
        f'baseline {study.baseline!r} is none of the arms {", ".join(study.arms)}',
    )
    _require(study.split in SPLITS, f'split: expected val or test, got {study.split!r}')
    for measure in study.measures:
        _check_measure(measure)
    for arm in study.arms.values():
        _check_arm(arm, study)
    _check_order(study)
    if any(arm.tune for arm in study.arms.values()):
        _check_tuning(study)


def _check_arm(arm: Arm, study: Study) -> None:
    where = f'arm {arm.name!r}'
    _require(
        re.fullmatch(r'\w[\w.+-]*', arm.name),
        f'{where}: it names a folder; use letters, digits and _ . + - alone',
    )
    _require(
        arm.config or study.base,
        f'{where} names no config, and the study has no base',
    )
    _require(
        all(isinstance(v, list | tuple) and v for v in arm.tune.values()),
        f'{where}, tune: expected lists of values, got {arm.tune}',
    )
    for key in ORIGINS:
        other = getattr(arm, key)
        _require(
            other is None or (other in study.arms and other != arm.name),
            f'{where}, {key}: {other!r} is no other arm of the study',
        )
    _require(
        not (arm.tune and arm.wall_clock_of),
        f'{where}: wall_clock_of and tune exclude each other',
    )
    trains = [key for key in TRAINING if getattr(arm, key)]
    _require(
        not (arm.weights_of and trains),
        f'{where}: it evaluates the weights of {arm.weights_of!r} and does not train, '
        f'so leave out {", ".join(trains)}',
    )
    _require(
        not (arm.weights_of and arm.config),
        f'{where}: its config is that of {arm.weights_of!r} with its overrides, so '
        'leave out config',
    )


def needs(arm: Arm) -> list[str]:
    """Return the arms that have to be trained before this one."""
    return [name for key in ORIGINS if (name := getattr(arm, key))]


def _check_order(study: Study) -> None:
    done: set[str] = set()
    left = dict(study.arms)
    while left:
        free = [name for name, arm in left.items() if done.issuperset(needs(arm))]
        _require(free, f'the arms {", ".join(left)} wait for each other')
        done.update(free)
        for name in free:
            del left[name]


def _check_tuning(study: Study) -> None:
    tuning = study.tuning
    _require(
        tuning, 'an arm has tune, so the study needs tuning=dict(seeds=, measure=)'
    )
    _require(
        tuning.split == 'val',
        f'tuning.split is {tuning.split!r}: values are chosen on the validation split '
        "alone, or the figures on the test split mean nothing; write split='val'",
    )
    _require(
        study.split == 'test',
        "split='val' would report on the frames that tuning chose on; use "
        "split='test', or write the values to compare as arms",
    )
    _check_seeds('tuning.seeds', tuning.seeds)
    shared = sorted(set(tuning.seeds) & set(study.seeds))
    _require(
        not shared,
        f'the seeds {shared} are both in seeds and in tuning.seeds; choose others to '
        'tune with',
    )
    for measure in (tuning.measure, *tuning.allow):
        _check_measure(measure)


def _check_seeds(key: str, seeds: Sequence[int]) -> None:
    fine = seeds and all(type(s) is int and s >= 0 for s in seeds)
    _require(
        fine and len(set(seeds)) == len(seeds),
        f'{key}: expected different whole numbers from 0, got {list(seeds)}',
    )


def _check_measure(measure: str) -> None:
    try:
        FRAME_METRICS.get(measure)
    except KeyError as error:
        raise ValueError(error.args[0]) from None


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise ValueError(message)
