"""The standard protocol of Human3.6M: subjects, actions, joints, frame counts."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from mmengine.logging import print_log

from sealpose.datasets.frame_counts import report_frames

SUBJECTS = {
    'train': ('S1', 'S5', 'S6', 'S7', 'S8'),
    'val': ('S9', 'S11'),
    'test': ('S9', 'S11'),
}
ACTIONS = (
    'Directions', 'Discussion', 'Eating', 'Greeting', 'Phoning', 'Photo', 'Posing',
    'Purchases', 'Sitting', 'SittingDown', 'Smoking', 'Waiting', 'WalkDog', 'Walking',
    'WalkTogether',
)  # fmt: skip
# Of the 32 joints of the release, those that move: the 17 of the papers.
MOVING_JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
# Its video is corrupt, so no detector has keypoints for it.
LEFT_OUT = ('S11', 'Directions')
CLIPS_PER_ACTION = 2
CAMERAS = 4
# Views by the four cameras at 50 Hz: what every paper that follows VideoPose3D counts.
FRAMES = {'train': 1_559_752, 'val': 543_344, 'test': 543_344}


def action_of(clip: str) -> str:
    """Return the action of a sub-action: ``Walking`` for ``Walking 1``.

    Raises:
        ValueError: it is not one of the 15.
    """
    action = str(clip).split(' ')[0]
    if action not in ACTIONS:
        raise ValueError(
            f'the clip {clip!r} belongs to none of the 15 actions of Human3.6M: '
            f'{", ".join(ACTIONS)}; tools/dataset_converters/h36m.py gives clips their '
            'usual names'
        )
    return action


def split_subjects(
    split: str, override: Mapping[str, Sequence[str]] | None
) -> tuple[str, ...]:
    """Return the subjects of a split.

    Args:
        split: ``train``, ``val`` or ``test``.
        override: Split to subjects, where they are not the standard ones; ``val``
            follows ``test`` unless it is given.

    Raises:
        ValueError: an unknown split or subject, or a subject both trained and tested
            on.
    """
    override = {name: tuple(who) for name, who in (override or {}).items()}
    for name in (split, *override):
        if name not in SUBJECTS:
            raise ValueError(
                f'Human36M has the splits {", ".join(SUBJECTS)}, not {name!r}'
            )
    known = {subject for subjects in SUBJECTS.values() for subject in subjects}
    for name, subjects in override.items():
        if not subjects or not set(subjects) <= known:
            raise ValueError(
                f'Human36M, subjects of {name!r}: expected some of '
                f'{", ".join(sorted(known))}, got {subjects}'
            )
    splits = {**SUBJECTS, **override}
    splits['val'] = override.get('val', splits['test'])
    for name in ('test', 'val'):
        both = set(splits[name]) & set(splits['train'])
        if both:
            raise ValueError(
                f'Human36M: {", ".join(sorted(both))} would be both in the training '
                f'and in the {name} split; give all splits that change, e.g. '
                "subjects=dict(train=['S1'], test=['S5'])"
            )
    return splits[split]


def compare_with_official(
    split: str, sequences: Iterable[Mapping], settings: Sequence[str]
) -> None:
    """Print the number of frames of a split, and warn where it is not the official one.

    Args:
        split: Name of the split.
        sequences: Their ``action`` and ``length``.
        settings: Names of settings that make another number right.
    """
    sequences = list(sequences)
    frames = sum(sequence['length'] for sequence in sequences)
    name = f'Human3.6M, {split}'
    if settings:
        set_to = ', '.join(settings)
        print_log(f'{name}: {frames} frames ({set_to} set)', logger='current')
        return
    if report_frames(name, {'4 cameras': FRAMES[split]}, {'4 cameras': frames}):
        return
    found = {sequence['action'] for sequence in sequences}
    missing = [action for action in ACTIONS if action not in found]
    if missing:
        print_log(
            f'{name}: {len(missing)} of the {len(ACTIONS)} actions are not there: '
            f'{", ".join(missing)}',
            logger='current',
            level=logging.WARNING,
        )
