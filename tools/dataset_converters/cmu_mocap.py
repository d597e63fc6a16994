#!/usr/bin/env python
"""Convert CMU motion capture: cmu_mocap.py SRC OUT writes two npz files into OUT.

SRC has a folder per subject with AMC files and their .asf, or with BVH files of the
cgspeed conversion, or both; a clip that is there twice is read from its AMC.
clips.json and split.json in SRC, if there are any, give the action labels and the
subjects of each split. The folder crosscheck_bvh is left out.

The 3D positions are those of Human3.6M's 17 joints in metres, Z up, the 2D keypoints
those that cameras like Human3.6M's see, evenly all round. The 120 frames per second of
CMU become --fps by linear interpolation in time. A file that cannot be read is named
and skipped, and the exit code is 1.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from sealpose.apis.conversion import ConverterParser, write_together
from sealpose.datasets.readers.cmu_joints import FPS
from sealpose.datasets.readers.cmu_tree import ClipFile, find_clips, load_split
from sealpose.datasets.readers.motion import resample
from sealpose.datasets.readers.virtual_views import keep_in_view, project_views
from sealpose.geometry.camera import Camera, camera_ring
from sealpose.skeletons import H36M17

UNLABELLED = 'unlabelled'
FILE_3D, FILE_2D = 'data_3d_cmu.npz', 'data_2d_cmu_gt.npz'
SOURCE = (
    'CMU Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, created with funding '
    'from NSF EIA-0196217'
)


@dataclass(frozen=True)
class Settings:
    """How clips are converted.

    Args:
        fps: Frames per second of the result.
        cameras: Cameras that see the person.
        noise_px: Standard deviation of Gaussian noise on the 2D keypoints, pixels.
        repair: Undo the defect of the BVH conversion.
        seed: Seed of the noise.
    """

    fps: int = 50
    cameras: tuple[Camera, ...] = field(default_factory=lambda: camera_ring(4))
    noise_px: float = 0.0
    repair: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Clip:
    """A converted clip.

    Args:
        world: (T, 17, 3) float32, metres, world axes.
        pixels: For each camera (T, 17, 2) float32.
        moved: How it was brought into view, None if it was.
        action: Label.
    """

    world: np.ndarray
    pixels: list[np.ndarray]
    moved: dict | None
    action: str


def convert_clip(file: ClipFile, settings: Settings) -> Clip:
    """Read, resample, bring into view and project a clip.

    Raises:
        ValueError: the file is malformed or does not fit the settings; names the file.
    """
    world, source_fps = file.read(settings.repair)
    if source_fps < settings.fps:
        raise ValueError(
            f'{file.path}: expected at least {settings.fps} frames per second, found '
            f'{source_fps:g}; choose a lower --fps'
        )
    try:
        world, moved = keep_in_view(
            resample(world, source_fps, settings.fps), settings.cameras, H36M17.root
        )
    except ValueError as error:
        raise ValueError(f'{file.path}: {error}') from None
    world = world.astype(np.float32)
    # The name is part of the key: the noise of a clip must not depend on the others.
    rng_key = [settings.seed, *file.name.encode()]
    pixels = project_views(world, settings.cameras, settings.noise_px, rng_key)
    action = file.label.group if file.label else UNLABELLED
    return Clip(world, pixels, moved, action)


def convert_tree(src: Path, settings: Settings) -> tuple[dict[str, dict], int]:
    """Convert every clip below ``src``, telling of progress and of broken files.

    Returns:
        Subject to clip name to :class:`Clip`, and the number of files skipped.
    """
    files = find_clips(src)
    subjects: dict[str, dict[str, Clip]] = {}
    owner: dict[str, str] = {}
    skipped = 0
    for position, (subject, clip_files) in enumerate(files.items(), 1):
        clips = {}
        for file in clip_files:
            try:
                # Labels are looked up by the name of the clip alone.
                if owner.setdefault(file.name, subject) != subject:
                    raise ValueError(
                        f'{file.path}: expected a clip name of its own, but subject '
                        f'{owner[file.name]} has a clip {file.name} too'
                    )
                clips[file.name] = convert_clip(file, settings)
            except (ValueError, OSError) as error:
                print(f'skipped {error}', file=sys.stderr, flush=True)
                skipped += 1
        if clips:
            subjects[subject] = clips
        progress = f'[{position}/{len(files)}] subject {subject}'
        print(f'{progress}: {_summary(clips)}', flush=True)
    return subjects, skipped


def _summary(clips: dict[str, Clip]) -> str:
    frames = sum(len(clip.world) for clip in clips.values())
    moved = sum(clip.moved is not None for clip in clips.values())
    return f'{len(clips)} clips, {frames} frames, {moved} clips moved into view'


def build_metadata(
    subjects: dict[str, dict[str, Clip]],
    split: dict[str, list[str]],
    settings: Settings,
) -> dict:
    """Collect what belongs to the 2D keypoints, as plain values.

    Args:
        subjects: Subject to clip name to clip.
        split: Split to subjects, of which those that were converted are kept.
        settings: How the clips were converted.
    """
    clips = {name: clip for s in subjects.values() for name, clip in s.items()}
    return {
        'num_joints': H36M17.num_joints,
        'keypoints_symmetry': [[*H36M17.left_joints], [*H36M17.right_joints]],
        'layout_name': 'h36m',
        'cameras': [asdict(camera) for camera in settings.cameras],
        'fps': settings.fps,
        'actions': {name: clip.action for name, clip in clips.items()},
        'split': {
            name: [subject for subject in members if subject in subjects]
            for name, members in split.items()
        },
        'recentred': {name: clip.moved for name, clip in clips.items() if clip.moved},
        'noise_px': settings.noise_px,
        'seed': settings.seed,
        'repaired': settings.repair,
        'source': SOURCE,
    }


def write_files(
    out: Path, subjects: dict[str, dict[str, Clip]], metadata: dict
) -> list[Path]:
    """Write both files; an interruption leaves what was there before.

    Returns:
        Paths of the 3D and the 2D file.
    """
    positions, keypoints = (
        {
            subject: {name: getattr(clip, part) for name, clip in clips.items()}
            for subject, clips in subjects.items()
        }
        for part in ('world', 'pixels')
    )
    files = {
        FILE_3D: dict(positions_3d=positions),
        FILE_2D: dict(positions_2d=keypoints, metadata=metadata),
    }
    return write_together(out, files, compressed=False)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the arguments; a bad one ends the program with code 2."""
    parser = ConverterParser(__doc__, 'folder of subjects', can_check=False)
    add = parser.add_argument
    add('--fps', type=_number(int, 1, FPS), default=50, help='default %(default)s')
    add('--cameras', type=_number(int, 1, 360), default=4, help='default %(default)s')
    add(
        '--noise-px',
        type=_number(float, 0, 1000),
        default=0.0,
        help='standard deviation of noise on the 2D keypoints, pixels (none)',
    )
    add('--no-repair', action='store_true', help='leave the defect of the BVH files')
    add('--seed', type=_number(int, 0, 2**63), default=0, help='of the noise')
    return parser.parse_args(argv)


def _number(kind: type, low: int, high: int) -> Callable[[str], float]:
    def convert(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f'expected a number from {low} to {high}, got {text}'
            )
        return value

    convert.__name__ = kind.__name__
    return convert


def main(argv: list[str] | None = None) -> int:
    """Run the converter; return its exit code."""
    start = time.monotonic()
    args = parse_args(argv)
    settings = Settings(
        fps=args.fps,
        cameras=camera_ring(args.cameras),
        noise_px=args.noise_px,
        repair=not args.no_repair,
        seed=args.seed,
    )
    try:
        split = load_split(args.src)
        subjects, skipped = convert_tree(args.src, settings)
    except (ValueError, OSError) as error:
        print(f'cmu_mocap.py: error: {error}', file=sys.stderr)
        return 2
    if not subjects:
        print(
            f'cmu_mocap.py: error: {args.src} has no readable clip; expected '
            'SUBJECT/CLIP.amc with SUBJECT/SUBJECT.asf, or SUBJECT/CLIP.bvh',
            file=sys.stderr,
        )
        return 1
    metadata = build_metadata(subjects, split, settings)
    try:
        paths = write_files(args.out, subjects, metadata)
    except OSError as error:
        print(f'cmu_mocap.py: error: cannot write: {error}', file=sys.stderr)
        return 1
    _report(subjects, metadata, skipped, time.monotonic() - start)
    print('\n'.join(f'wrote {path}' for path in paths))
    return 1 if skipped else 0


def _report(subjects: dict, metadata: dict, skipped: int, seconds: float) -> None:
    """Print the totals."""
    clips = {name: clip for s in subjects.values() for name, clip in s.items()}
    print(
        f'{len(subjects)} subjects: {_summary(clips)}, {skipped} files skipped, '
        f'{len(metadata["cameras"])} cameras, {seconds:.0f} s'
    )
    unlabelled = sum(clip.action == UNLABELLED for clip in clips.values())
    if unlabelled:
        print(f'{unlabelled} clips have no label in clips.json: {UNLABELLED!r}')
    if not metadata['split']:
        print('no split.json in the source folder: the files define no split')


if __name__ == '__main__':
    sys.exit(main())
