#!/usr/bin/env python
"""Convert Human3.6M: h36m.py SRC OUT writes data_3d_h36m.npz into OUT.

SRC is where the poses of the original release (Poses_D3_Positions_S*.tgz) were
unpacked, as CDF files or turned into .mat files by VideoPose3D's convert_cdf_to_mat.m,
or where h36m.zip of 3d-pose-baseline was. The result is the file that VideoPose3D's
scripts make: 32 joints, metres, world axes, usual names of the clips, without the
"Directions" of S11 whose video is corrupt. --with-2d adds the true 2D keypoints.

A file that cannot be read is named and skipped, and the exit code is 1. So it is where
clips or frames are missing; --check looks for that alone and writes nothing.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from sealpose.apis.conversion import ConverterParser, write_together
from sealpose.datasets.h36m_cameras import project_clip
from sealpose.datasets.h36m_protocol import CAMERAS, FRAMES, SUBJECTS, action_of
from sealpose.datasets.h36m_release import completeness, find_files
from sealpose.datasets.readers.isolation import IsolatedReader
from sealpose.skeletons import H36M17

Clips = dict[str, dict[str, np.ndarray]]
FILE_3D, FILE_2D = 'data_3d_h36m.npz', 'data_2d_h36m_gt.npz'


def read_release(src: Path) -> tuple[Clips, int]:
    """Read every clip below ``src``, telling of progress and of broken files.

    Returns:
        Subject to clip to (T, 32, 3) float32, metres, world axes; files skipped.
    """
    subjects: Clips = {}
    skipped = 0
    files = find_files(src)
    with IsolatedReader() as reader:
        for file in files:
            if file.subject not in subjects:
                print(f'reading {file.subject}', flush=True)
                subjects[file.subject] = {}
            try:
                action_of(file.clip)
                subjects[file.subject][file.clip] = reader.read(file)
            except ValueError as error:
                print(f'skipped {file.path.name}: {error}', file=sys.stderr, flush=True)
                skipped += 1
    return subjects, skipped


def check(subjects: Clips) -> bool:
    """Print what was found beside what is expected; return whether they agree."""
    differences = list(completeness({s: [*clips] for s, clips in subjects.items()}))
    for subject, action, found, expected in differences:
        print(f'{subject} {action}: expected {expected} clips, found {found}')
    complete = not differences
    for split in ('train', 'test'):
        clips = [
            clip
            for subject in SUBJECTS[split]
            for clip in subjects.get(subject, {}).values()
        ]
        views = CAMERAS * sum(len(clip) for clip in clips)
        complete &= views == FRAMES[split]
        print(
            f'{split} ({", ".join(SUBJECTS[split])}): {len(clips)} clips, {views:,} '
            f'frames in {CAMERAS} cameras, expected {FRAMES[split]:,}'
        )
    return complete


def write_files(out: Path, subjects: Clips, with_2d: bool) -> list[Path]:
    """Write the files; an interruption leaves what was there before.

    Returns:
        Their paths.
    """
    files = {FILE_3D: dict(positions_3d=subjects)}
    if with_2d:
        files[FILE_2D] = dict(
            positions_2d={
                subject: {
                    name: project_clip(clip, subject) for name, clip in clips.items()
                }
                for subject, clips in subjects.items()
            },
            metadata={
                'layout_name': 'h36m',
                'num_joints': H36M17.num_joints,
                'keypoints_symmetry': [
                    [*H36M17.left_joints],
                    [*H36M17.right_joints],
                ],
            },
        )
    return write_together(out, files)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = ConverterParser(__doc__, 'folder of S1, S5, ...')
    add = parser.add_argument
    add('--with-2d', action='store_true', help=f'write {FILE_2D} too')
    add('--check', action='store_true', help='only compare with what is expected')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the converter; return its exit code."""
    args = parse_args(argv)
    try:
        subjects, skipped = read_release(args.src)
        complete = check(subjects) and not skipped
        paths = [] if args.check else write_files(args.out, subjects, args.with_2d)
    except (ImportError, OSError) as error:
        print(f'h36m.py: error: {error}', file=sys.stderr)
        return 2
    print('\n'.join(f'wrote {path}' for path in paths) or 'nothing was written')
    return 0 if complete else 1


if __name__ == '__main__':
    sys.exit(main())
