"""Arrays that grow while a data set is read."""

from typing import Protocol

import numpy as np

from sealpose.skeletons import Skeleton


class Column(Protocol):
    """An array that grows by rows: in memory, or in a file."""

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""

    def finish(self) -> np.ndarray:
        """Return the whole array; nothing can be added any more."""


class MemoryColumn:
    """Grows in place, so that no second copy of the array is ever needed.

    Args:
        row_shape: Shape of one row.
        dtype: Type of the values.
    """

    def __init__(self, row_shape: tuple[int, ...], dtype: type) -> None:
        self._array = np.empty((0, *row_shape), dtype)

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        size = len(self._array)
        # Nobody else refers to the array before finish().
        self._array.resize((size + len(rows), *self._array.shape[1:]), refcheck=False)
        self._array[size:] = rows

    def finish(self) -> np.ndarray:
        """Return the whole array."""
        return self._array


def column_types(skeleton: Skeleton) -> dict[str, tuple[tuple[int, ...], type]]:
    """Return the shape of a row and the type of each array of a store, by its name."""
    joints = skeleton.num_joints
    return {
        'keypoints_2d': ((joints, 2), np.float32),
        'keypoints_3d': ((joints, 3), np.float32),
        'valid': ((), np.bool_),
    }
