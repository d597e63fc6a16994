"""A tree of CMU motion capture: a folder per subject, labels and split beside."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealpose.datasets.readers.amc import read_amc
from sealpose.datasets.readers.asf import read_asf
from sealpose.datasets.readers.bvh import read_bvh
from sealpose.datasets.readers.cmu_joints import FPS, h36m17_from_amc, h36m17_from_bvh

# Its clips are there a second time, as AMC in the folders of their subjects.
IGNORED_FOLDERS = ('crosscheck_bvh',)
SPLITS = ('train', 'val', 'test')


@dataclass(frozen=True)
class ClipLabel:
    """What clips.json says about a clip.

    Args:
        group: Coarse action.
        frames: Frames in the file, with the T-pose of a BVH file; None if not said.
    """

    group: str
    frames: int | None


@dataclass(frozen=True)
class ClipFile:
    """Where a clip is.

    Args:
        subject: Name of the subject's folder.
        name: Name of the clip.
        path: AMC or BVH file.
        label: What is known about it.
    """

    subject: str
    name: str
    path: Path
    label: ClipLabel | None

    def read(self, repair: bool = True) -> tuple[np.ndarray, float]:
        """Read the motion.

        Args:
            repair: See :func:`h36m17_from_bvh`.

        Returns:
            (T, 17, 3), metres, world axes, and its frames per second.

        Raises:
            ValueError: a file that is malformed, or not as long as its label says.
        """
        if self.path.suffix == '.bvh':
            motion = read_bvh(self.path)
            # The header has 1/120 s with five digits.
            fps, world = round(motion.fps, 2), h36m17_from_bvh(motion, repair)
        else:
            skeleton = read_asf(_find_asf(self.path.parent))
            motion = read_amc(self.path, skeleton)
            fps, world = FPS, h36m17_from_amc(motion, skeleton.metres_per_unit)
        expected = self.label.frames if self.label else None
        if expected not in (None, len(motion.positions)):
            raise ValueError(
                f'{self.path}: expected {expected} frames as clips.json says, found '
                f'{len(motion.positions)}'
            )
        return world, fps


def find_clips(src: Path) -> dict[str, list[ClipFile]]:
    """List the clips of each subject; one that is there twice is taken as AMC.

    Args:
        src: Folder with a folder per subject, and clips.json if there are labels.

    Raises:
        ValueError: clips.json is malformed.
    """
    labels = load_labels(src)
    found = {}
    for folder in sorted(path for path in src.iterdir() if path.is_dir()):
        files = {path.stem: path for path in folder.glob('*.bvh')}
        files |= {path.stem: path for path in folder.glob('*.amc')}
        if files and folder.name not in IGNORED_FOLDERS:
            found[folder.name] = [
                ClipFile(folder.name, name, path, labels.get(name))
                for name, path in sorted(files.items())
            ]
    return found


def load_labels(src: Path) -> dict[str, ClipLabel]:
    """Read clips.json: clip to its label; nothing if there is no such file."""
    return _load_json(
        src / 'clips.json',
        lambda content: {
            entry['clip']: ClipLabel(str(entry['group']), entry.get('frames'))
            for entry in content['clips']
        },
        '{"clips": [{"clip": "02_01", "group": "walk"}, ...]}',
    )


def load_split(src: Path) -> dict[str, list[str]]:
    """Read split.json: train, val, test to subjects; nothing without such a file."""
    return _load_json(
        src / 'split.json',
        lambda content: {
            split: [str(subject) for subject in content[split]['subjects']]
            for split in SPLITS
        },
        '{"train": {"subjects": ["02", ...]}, "val": ..., "test": ...}',
    )


def _load_json(path: Path, parse: Callable[[Any], dict], expected: str) -> dict:
    if not path.is_file():
        return {}
    try:
        return parse(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'{path}: expected {expected}, but: {error!r}') from None


def _find_asf(folder: Path) -> Path:
    skeletons = sorted(folder.glob('*.asf'))
    named = folder / f'{folder.name}.asf'
    if named in skeletons:
        return named
    if len(skeletons) != 1:
        found = ', '.join(path.name for path in skeletons) or 'no .asf file'
        raise ValueError(f'{folder}: expected the skeleton {named.name}, found {found}')
    return skeletons[0]
