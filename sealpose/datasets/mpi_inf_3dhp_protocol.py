"""The protocol of MPI-INF-3DHP: splits, cameras, image sizes, numbers of frames."""

from collections.abc import Mapping, Sequence

SUBJECTS = {
    'train': tuple(f'S{n}' for n in range(1, 9)),
    'val': tuple(f'TS{n}' for n in range(1, 7)),
    'test': tuple(f'TS{n}' for n in range(1, 7)),
}
# Of the 14 cameras those that published codes train with.
CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
TRAIN_SIZE = (2048, 2048)
TEST_SIZES = {'TS5': (1920, 1080), 'TS6': (1920, 1080)}
# Each training clip: frames from one camera, frames per second.
TRAIN_CLIPS = {
    'S1 Seq1': (6416, 25), 'S1 Seq2': (12430, 50),
    'S2 Seq1': (6502, 25), 'S2 Seq2': (6081, 25),
    'S3 Seq1': (12488, 50), 'S3 Seq2': (12283, 50),
    'S4 Seq1': (6171, 25), 'S4 Seq2': (6675, 25),
    'S5 Seq1': (12820, 50), 'S5 Seq2': (12312, 50),
    'S6 Seq1': (6188, 25), 'S6 Seq2': (6145, 25),
    'S7 Seq1': (6239, 25), 'S7 Seq2': (6320, 25),
    'S8 Seq1': (6468, 25), 'S8 Seq2': (6054, 25),
}  # fmt: skip
# Valid frames of each test clip, 2929 together.
TEST_FRAMES = {'TS1': 603, 'TS2': 540, 'TS3': 505, 'TS4': 553, 'TS5': 276, 'TS6': 452}


def is_test(subject: str) -> bool:
    """Whether a subject belongs to the test set."""
    return subject.startswith('TS')


def image_size(subject: str) -> tuple[int, int]:
    """Return width and height of the images of a subject, pixels."""
    return TEST_SIZES.get(subject, TRAIN_SIZE)


def official_frames(subjects: Sequence[str]) -> dict[str, int]:
    """Return what there should be of some subjects.

    Returns:
        Training clip (``S1 Seq1``) to its frames from one camera, or test subject to
        its valid frames.
    """
    clips = {clip: frames for clip, (frames, _) in TRAIN_CLIPS.items()}
    return {
        part: frames
        for part, frames in {**clips, **TEST_FRAMES}.items()
        if part.split()[0] in subjects
    }


def split_subjects(
    split: str, override: Mapping[str, Sequence[str]] | None
) -> tuple[str, ...]:
    """Return the subjects of a split.

    Args:
        split: ``train``, ``val`` or ``test``.
        override: Split to subjects, where they are not the standard ones; ``val``
            follows ``test`` unless it is given.

    Raises:
        ValueError: an unknown split or subject, or test data in training, or a subject
            both trained and tested on.
    """
    if override is not None and not isinstance(override, Mapping):
        raise ValueError(
            'MPIINF3DHP, subjects: expected a dict from split to subjects, such as '
            f"dict(test=['TS1']), got {override!r}"
        )
    override = dict(override or {})
    given = list(override)
    if 'test' in override:
        override.setdefault('val', override['test'])
    for name in (split, *override):
        if name not in SUBJECTS:
            raise ValueError(
                f'MPIINF3DHP has the splits {", ".join(SUBJECTS)}, not {name!r}'
            )
    splits = {**SUBJECTS, **{name: tuple(who) for name, who in override.items()}}
    for name in dict.fromkeys([*given, *splits]):
        subjects = splits[name]
        _check_subjects(name, subjects)
        both = [s for s in subjects if s in splits['train']]
        if name != 'train' and both:
            raise ValueError(
                f'MPIINF3DHP: {", ".join(both)} would be both in the training and in '
                f'the {name} split; give all splits that change, e.g. subjects=dict('
                "train=['S1', 'S2'], val=['S8'])"
            )
    return splits[split]


def _check_subjects(split: str, subjects: Sequence[str]) -> None:
    known = (*SUBJECTS['train'], *SUBJECTS['test'])
    if not subjects or not set(subjects) <= set(known):
        raise ValueError(
            f'MPIINF3DHP, subjects of {split!r}: expected some of {", ".join(known)}, '
            f'got {", ".join(map(str, subjects)) or "none"}'
        )
    tested = [subject for subject in subjects if is_test(subject)]
    if tested and (split == 'train' or len(tested) < len(subjects)):
        raise ValueError(
            f'MPIINF3DHP, subjects of {split!r}: {", ".join(tested)} are test data; '
            'train on some of S1 to S8, and do not mix S1 to S8 with TS1 to TS6'
        )
