"""How many times longer an arm trains to take the time of another."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from sealpose.study.run import RunRequest, read_notes, training_seconds, write_notes


def stretch(path: Path, arm: str, runs: Mapping[str, Sequence[RunRequest]]) -> float:
    """Return the factor, which is decided once and then kept.

    Args:
        path: File that keeps the factors of a study.
        arm: The arm that trains longer.
        runs: Finished runs by arm: of the one whose time it gets, then of its own pace.

    Raises:
        ValueError: one of them has no runs.
    """
    if not all(runs.values()):
        raise ValueError(f'no run of {" or of ".join(runs)} was timed')
    decided = read_notes(path)
    key = {name: found[0].training_hash for name, found in runs.items()}
    if decided.get(arm, {}).get('timed') != key:
        seconds = {
            name: statistics.median(
                training_seconds(read_notes(run.folder / 'training.json'))
                for run in found
            )
            for name, found in runs.items()
        }
        goal, pace = seconds.values()
        decided[arm] = dict(timed=key, seconds=seconds, factor=goal / pace)
        write_notes(path, decided)
    return decided[arm]['factor']
