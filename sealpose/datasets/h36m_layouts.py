"""The joint orders of the 2D files of Human3.6M.

The files do not name their joints. Their number and which of them are the left ones
(``keypoints_symmetry``) tell the orders apart that are in use.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sealpose.skeletons import H36M17, Skeleton, get_skeleton, map_joints

# Stacked hourglass, the order of MPII, as facebookresearch/VideoPose3D writes it;
# garyzhao/SemGCN writes the same joints in the order of h36m16.
HOURGLASS = (
    'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle',
    'pelvis', 'spine', 'thorax', 'head', 'right_wrist', 'right_elbow',
    'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist',
)  # fmt: skip


def select_keypoints(
    track: np.ndarray, metadata: Mapping, skeleton: Skeleton
) -> np.ndarray:
    """Bring a 2D track to the joints of the skeleton.

    Joints are selected by name; those of COCO are mapped by the table of
    docs/in_the_wild.md.

    Args:
        track: (T, K, 2).
        metadata: Of its file.
        skeleton: ``h36m17`` or ``h36m16``.

    Returns:
        (T, J, 2).

    Raises:
        ValueError: an unknown order, or joints that the skeleton needs are not there.
    """
    names = _joint_names(track.shape[1], metadata)
    if names == get_skeleton('coco17').joint_names:
        mapped = map_joints(get_skeleton('coco17'), skeleton)
        return mapped(torch.from_numpy(track)).numpy()
    missing = [joint for joint in skeleton.joint_names if joint not in names]
    if missing:
        raise ValueError(
            f'the 2D keypoints have {len(names)} joints, without {", ".join(missing)}, '
            f"but the skeleton is {skeleton.name!r}: set skeleton='h36m16' in the data "
            'sets and the model'
        )
    order = [names.index(joint) for joint in skeleton.joint_names]
    if order == list(range(len(names))):
        return track
    return track[:, order]


def _joint_names(count: int, metadata: Mapping) -> tuple[str, ...]:
    layouts = (
        H36M17.joint_names,
        get_skeleton('h36m16').joint_names,
        HOURGLASS,
        get_skeleton('coco17').joint_names,
    )
    symmetry = metadata.get('keypoints_symmetry')
    for names in layouts:
        if len(names) == count and (symmetry is None or _fits(symmetry, names)):
            return names
    raise ValueError(
        f'the 2D keypoints have {count} joints with keypoints_symmetry {symmetry}; '
        'known are the 17 joints of Human3.6M, the 16 without the nose, the 16 of MPII '
        '(stacked hourglass) and the 17 of COCO'
    )


def _fits(symmetry: Any, names: tuple[str, ...]) -> bool:
    """Whether these are the left joints; files may hold anything."""
    left = [i for i, name in enumerate(names) if name.startswith('left_')]
    try:
        return sorted(symmetry[0]) == left
    except (TypeError, ValueError, LookupError):
        return False
