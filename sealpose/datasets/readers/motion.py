"""What the motion capture readers share: joint tracks, rotations, time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class JointTracks:
    """Global positions of named joints over time.

    Args:
        path: File that they were read from, for messages.
        names: The J names.
        positions: (T, J, 3) float64, in the units and axes of the file.
    """

    path: Path
    names: tuple[str, ...]
    positions: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the positions of one joint, (T, 3)."""
        return self.positions[:, self.index(name)]

    def index(self, name: str) -> int:
        """Return the position of a joint in ``names``."""
        if name not in self.names:
            raise ValueError(
                f'{self.path}: expected a joint {name!r}, found {", ".join(self.names)}'
            )
        return self.names.index(name)


def fault(path: Path, line: int, expected: str, found: str) -> ValueError:
    """Make the error of a file that holds something else than it should."""
    return ValueError(f'{path}, line {line}: expected {expected}, found {found}')


def read_text(path: Path) -> str:
    """Read a text file; bytes outside ASCII are kept for the parser to refuse."""
    return path.read_text(encoding='latin-1')


def euler_matrices(degrees: np.ndarray, axes: str) -> np.ndarray:
    """Multiply elementary rotations, from left to right.

    Args:
        degrees: (..., K), one angle for each of the K axes.
        axes: K letters out of ``xyz``; ``'zyx'`` gives Rz Ry Rx.

    Returns:
        (..., 3, 3).
    """
    angles = np.radians(degrees)
    product = np.broadcast_to(np.eye(3), (*angles.shape[:-1], 3, 3))
    for k, axis in enumerate(axes):
        product = product @ _elementary(angles[..., k], 'xyz'.index(axis))
    return product


def _elementary(angle: np.ndarray, axis: int) -> np.ndarray:
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -matrix[..., second, first]
    return matrix


def resample(positions: np.ndarray, source_fps: float, fps: float) -> np.ndarray:
    """Interpolate positions linearly in time, keeping the first frame.

    Linear interpolation cuts the corner between two frames, which shortens a bone that
    turns by the angle a from one to the next by at most the share 1 - cos(a / 2). At
    120 frames per second that is below a millimetre in all but the fastest strokes.

    Args:
        positions: (T, ..., 3) at ``source_fps`` frames per second.
        source_fps: Frames per second of the input.
        fps: Frames per second of the output.

    Returns:
        (T', ..., 3): as many frames as fit between the first and the last.
    """
    last = len(positions) - 1
    # The small term keeps the last frame when a whole number comes out a bit short.
    count = int(last * fps / source_fps + 1e-9) + 1
    times = np.minimum(np.arange(count) * source_fps / fps, last)
    before = np.floor(times).astype(int)
    after = np.minimum(before + 1, last)
    weight = (times - before).reshape(-1, *[1] * (positions.ndim - 1))
    return positions[before] * (1 - weight) + positions[after] * weight
