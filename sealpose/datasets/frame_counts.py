"""Whether the data on disk are those that papers report on: the numbers of frames."""

import logging
from collections.abc import Mapping

from mmengine.logging import print_log


def report_frames(
    name: str, expected: Mapping[str, int], found: Mapping[str, int]
) -> bool:
    """Print whether the frames found are those of the official release.

    Other counts are no fault: a subset, other cameras, data made for a test.

    Args:
        name: Of data set and split.
        expected: Part of the data to its official number of frames.
        found: The same of what was read.

    Returns:
        Whether all agree.
    """
    differing = [
        f'{part}: {found.get(part, 0)} instead of {expected.get(part, 0)}'
        for part in sorted({*expected, *found})
        if found.get(part, 0) != expected.get(part, 0)
    ]
    if not differing:
        print_log(
            f'{name}: {sum(found.values())} frames, as in the official release',
            logger='current',
        )
        return True
    listed = ', '.join(differing[:6]) + (' ...' if len(differing) > 6 else '')
    print_log(
        f'{name}: not the official numbers of frames: {listed}. Figures cannot be '
        'compared with published ones unless this is intended',
        logger='current',
        level=logging.WARNING,
    )
    return False
