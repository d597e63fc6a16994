#!/usr/bin/env python
"""Convert MPI-INF-3DHP: mpi_inf_3dhp.py SRC OUT writes two npz files into OUT.

SRC is where the release was unpacked: S1/Seq1/annot.mat to S8/Seq2/annot.mat, and
mpi_inf_3dhp_test_set/TS1/annot_data.mat to TS6. The results, data_train_3dhp.npz and
data_test_3dhp.npz, are those of P-STMO: 17 joints, millimetres, camera axes, pixels,
for the training clips the 8 usual cameras.

--annotation chooses the 3D annotations: univ_annot3, in which every person has the same
height from knee to neck and which published results are for, or annot3, the true size.
The files record which.

Missing files are an error, unless --allow-missing. The exit code is 1 where the numbers
of frames are not those of the release. --check lists the files and writes nothing.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from sealpose.apis.conversion import ConverterParser, write_together
from sealpose.datasets.mpi_inf_3dhp_protocol import (
    CAMERAS,
    TEST_FRAMES,
    TRAIN_CLIPS,
    is_test,
)
from sealpose.datasets.mpi_inf_3dhp_release import (
    ANNOTATIONS,
    expected_files,
    read_test_clip,
    read_train_clip,
)

TRAIN_FILE, TEST_FILE = 'data_train_3dhp.npz', 'data_test_3dhp.npz'


def convert(files: Mapping[str, Path], annotation: str) -> tuple[dict, dict, bool]:
    """Read files of the release, and print their numbers of frames.

    Args:
        files: Clip or test subject to its file.
        annotation: One of ``ANNOTATIONS``.

    Returns:
        ``data`` of the two results, and whether the numbers of frames are right.
    """
    train, test, complete = {}, {}, True
    for name, path in files.items():
        if is_test(name):
            test[name] = read_test_clip(path, annotation)
            found, expected = int(test[name]['valid'].sum()), TEST_FRAMES[name]
            kind = 'valid frames'
        else:
            expected, fps = TRAIN_CLIPS[name]
            views = read_train_clip(path, annotation, CAMERAS, expected)
            train[name] = [views, fps]
            found = len(next(iter(views.values()))['data_3d'])
            kind = f'frames from {len(views)} cameras'
        right = found == expected
        complete &= right
        beside = 'as in the release' if right else f'expected {expected}'
        print(f'{name}: {found} {kind}, {beside}', flush=True)
    return train, test, complete


def write_files(out: Path, files: Mapping[str, dict], annotation: str) -> list[Path]:
    """Write the files that hold something; an interruption leaves the old ones.

    Returns:
        Their paths.
    """
    metadata = {'annotation': annotation, 'unit': 'mm', 'space': 'camera'}
    filled = {name: data for name, data in files.items() if data}
    return write_together(
        out, {name: dict(data=d, metadata=metadata) for name, d in filled.items()}
    )


def print_files(files: Mapping[str, Path]) -> None:
    """Print which of the expected files are there."""
    for name, path in files.items():
        print(f'{name}: {"found" if path.is_file() else "missing"} {path}')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = ConverterParser(__doc__, 'folder of S1, S2, ... and the test set')
    add = parser.add_argument
    add('--annotation', choices=ANNOTATIONS, default=ANNOTATIONS[0])
    add('--allow-missing', action='store_true', help='convert what is there')
    add('--check', action='store_true', help='only list the files')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the converter; return its exit code."""
    args = parse_args(argv)
    files = expected_files(args.src)
    there = {name: path for name, path in files.items() if path.is_file()}
    missing = [name for name in files if name not in there]
    if args.check:
        print_files(files)
        return 1 if missing else 0
    try:
        if not there or (missing and not args.allow_missing):
            raise FileNotFoundError(
                f'{args.src} lacks {len(missing)} of {len(files)} clips: '
                f'{", ".join(missing)}; the first should be {files[missing[0]]}. '
                '--allow-missing converts what is there'
            )
        train, test, complete = convert(there, args.annotation)
        results = {TRAIN_FILE: train, TEST_FILE: test}
        paths = write_files(args.out, results, args.annotation)
    except (ImportError, OSError, ValueError) as error:
        print(f'mpi_inf_3dhp.py: error: {error}', file=sys.stderr)
        return 2
    print('\n'.join(f'wrote {path}' for path in paths))
    return 0 if complete else 1


if __name__ == '__main__':
    sys.exit(main())
