#!/usr/bin/env python
"""Read thousands of damaged files: each must be read or refused with one clear error.

    python benchmarks/fuzz_readers.py --files 10000

The same mutations, fewer of them, run in tests/test_datasets/test_npz_fuzz.py.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.test_datasets.npz_mutations import mutated_files, outcome


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Damage npz files in many ways and read them; stops at the first '
        'one that is neither read nor refused with a ValueError.'
    )
    parser.add_argument('--files', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    counts, slowest = Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'fuzzed.npz'
        for number, (how, data) in enumerate(mutated_files(args.files, args.seed)):
            path.write_bytes(data)
            begin = time.perf_counter()
            try:
                counts[how, outcome(path)] += 1
            except BaseException:
                print(f'file {number} of --seed {args.seed} ({how}) did this:')
                raise
            slowest = max(slowest, time.perf_counter() - begin)
    for (how, end), count in sorted(counts.items()):
        print(f'{how:12} {end:8} {count:6}')
    print(
        f'{args.files} files, no other error, the slowest took {1e3 * slowest:.1f} ms'
    )


if __name__ == '__main__':
    main()
