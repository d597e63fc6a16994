"""Which windows keep their truth when only a share of a data set is labelled."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

GROUPS = {
    'subject': ('subject',),
    'camera': ('camera',),
    'clip': ('subject', 'clip'),
    'sequence': ('subject', 'clip', 'camera'),
}
UNITS = ('frame', *GROUPS)
# Whole groups seldom add up to the budget.
TOLERANCE = 1.1


def choose_labelled(
    sequence: Tensor,
    start: Tensor,
    sequences: Sequence[dict],
    share: float,
    by: str,
    seed: int = 0,
) -> Tensor:
    """Choose the windows that keep their truth.

    ``frame`` spaces them evenly over all clips, the same moments in every camera: few
    frames annotated everywhere. The other units keep whole subjects, clips (with all
    their cameras), sequences (a clip in one camera) or cameras. Those are taken in a
    random order that goes round the subjects, each if the windows then exceed the
    budget by no more than a tenth, so that small ones fill up what large ones leave;
    where none fits, the smallest is taken.

    Args:
        sequence: (W,) int64, sequence of each window.
        start: (W,) int64, its first predicted frame.
        sequences: Dicts of subject, clip and camera, one for each sequence.
        share: The budget, a part of all windows.
        by: ``frame``, ``subject``, ``clip``, ``sequence`` or ``camera``.
        seed: Chooses among the groups, and where even spacing begins.

    Returns:
        (W,) bool, at least one of them true.

    Raises:
        ValueError: an unknown unit, or a share that is not in (0, 1].
    """
    if by not in UNITS:
        raise ValueError(f'by must be one of {", ".join(UNITS)}, but got {by!r}')
    if not 0 < share <= 1:
        raise ValueError(f'share must lie in (0, 1], but got {share}')
    if share == 1:
        return torch.ones(len(sequence), dtype=torch.bool)
    random = np.random.default_rng(seed)
    if by == 'frame':
        clip, _ = _number_groups(sequences, GROUPS['clip'])
        return _evenly_spaced(clip[sequence], start, share, random)
    group, keys = _number_groups(sequences, GROUPS[by])
    group = group[sequence]
    sizes = torch.bincount(group, minlength=len(keys)).tolist()
    return torch.isin(group, torch.tensor(_whole_groups(keys, sizes, share, random)))


def _number_groups(
    sequences: Sequence[dict], names: Sequence[str]
) -> tuple[Tensor, list[tuple[str, ...]]]:
    """Number what the sequences belong to, (S,), and name it."""
    of_sequences = [tuple(entry[name] for name in names) for entry in sequences]
    keys = list(dict.fromkeys(of_sequences))
    numbers = {key: number for number, key in enumerate(keys)}
    return torch.tensor([numbers[key] for key in of_sequences]), keys


def _evenly_spaced(
    clip: Tensor, start: Tensor, share: float, random: np.random.Generator
) -> Tensor:
    places = torch.stack([clip, start], 1)
    moments, moment = torch.unique(places, dim=0, return_inverse=True)
    count = max(1, round(share * len(moments)))
    steps = np.arange(count) + random.uniform()
    chosen = torch.zeros(len(moments), dtype=torch.bool)
    chosen[torch.from_numpy(steps * len(moments) / count).long()] = True
    return chosen[moment]


def _whole_groups(
    keys: Sequence[tuple[str, ...]],
    sizes: Sequence[int],
    share: float,
    random: np.random.Generator,
) -> list[int]:
    limit = TOLERANCE * share * sum(sizes)
    filled = [number for number, size in enumerate(sizes) if size]
    taken, total = [], 0
    for number in _round_the_subjects(keys, filled, random):
        if total + sizes[number] <= limit:
            taken.append(number)
            total += sizes[number]
        if total >= share * sum(sizes):
            break
    return taken or [min(filled, key=lambda number: sizes[number])]


def _round_the_subjects(
    keys: Sequence[tuple[str, ...]], numbers: Sequence[int], random: np.random.Generator
) -> list[int]:
    """Order groups at random so that one of each subject comes before any second."""
    of_subjects = defaultdict(list)
    for number in numbers:
        of_subjects[keys[number][0]].append(number)
    shuffled = [random.permutation(groups).tolist() for groups in of_subjects.values()]
    random.shuffle(shuffled)
    rounds = zip_longest(*shuffled)
    return [number for row in rounds for number in row if number is not None]
