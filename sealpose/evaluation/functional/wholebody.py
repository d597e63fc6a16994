"""The metrics of H3WB, and structure by the parts of the body.

Zhu et al., H3WB: Human3.6M 3D WholeBody dataset and benchmark, ICCV 2023. Its figures
are after moving each predicted pose so that its pelvis, the middle of the hips, lies on
the true one; face and hands also by the nose and by the wrists. All take prediction and
truth of one sequence, (T, J, 3) metres, and a skeleton with the joint sets ``body``,
``face``, ``left_hand``, ``right_hand`` and ``hands``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sealpose.evaluation.functional.frame_metric import (
    MM_PER_METRE,
    PERCENT,
    frame_metric,
)
from sealpose.geometry.alignment import TINY
from sealpose.geometry.bones import segment_lengths
from sealpose.skeletons import Skeleton

PARTS = ('body', 'face', 'hands')


def _error(
    pred: Tensor, gt: Tensor, joints: Sequence[int], anchors: Sequence[int]
) -> Tensor:
    """Mean distance of some joints after moving the anchors' mean onto the true one."""
    error = pred - gt
    error = error[:, list(joints)] - error[:, list(anchors)].mean(1, keepdim=True)
    return torch.linalg.vector_norm(error, dim=-1).mean(-1) * MM_PER_METRE


@frame_metric('H3WB-whole', unit='mm', framewise=True)
def whole_body(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of all joints, aligned at the pelvis.

    Returns:
        (T,), millimetres.
    """
    return _error(pred, gt, range(skeleton.num_joints), skeleton.origin_joints)


@frame_metric('H3WB-body', unit='mm', framewise=True)
def body(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of body and feet, aligned at the pelvis.

    Returns:
        (T,), millimetres.
    """
    return _error(pred, gt, skeleton.joint_set('body'), skeleton.origin_joints)


@frame_metric('H3WB-face', unit='mm', framewise=True)
def face(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of the face, aligned at the pelvis.

    Returns:
        (T,), millimetres.
    """
    return _error(pred, gt, skeleton.joint_set('face'), skeleton.origin_joints)


@frame_metric('H3WB-face-nose', unit='mm', framewise=True)
def face_at_nose(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of the face, aligned at the nose.

    Returns:
        (T,), millimetres.
    """
    nose = (skeleton.index('nose'),)
    return _error(pred, gt, skeleton.joint_set('face'), nose)


@frame_metric('H3WB-hands', unit='mm', framewise=True)
def hands(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of both hands, aligned at the pelvis.

    Returns:
        (T,), millimetres.
    """
    return _error(pred, gt, skeleton.joint_set('hands'), skeleton.origin_joints)


@frame_metric('H3WB-hands-wrist', unit='mm', framewise=True)
def hands_at_wrists(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean error of the hands, each aligned at its own root, the wrist.

    Returns:
        (T,), millimetres.
    """
    errors = []
    for side in ('left', 'right'):
        joints = skeleton.joint_set(f'{side}_hand')
        errors.append(_error(pred, gt, joints, joints[:1]))
    return torch.stack(errors).mean(0)


def _segments_of(skeleton: Skeleton, part: str) -> list[int]:
    """Return the segments that end in a part: the face hangs on the nose."""
    joints = set(skeleton.joint_set(part))
    return [i for i, (_, child) in enumerate(skeleton.segments) if child in joints]


def _register_structure(part: str) -> None:
    @frame_metric(f'LSE-{part}', unit='%', needs_truth=False, framewise=True)
    def part_symmetry(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
        """LSE over the pairs of segments that end in one part; (T,), percent."""
        within = set(_segments_of(skeleton, part))
        pairs = [p for p in skeleton.symmetric_segments if within.issuperset(p)]
        if not pairs:
            raise ValueError(
                f'skeleton {skeleton.name!r} has no pairs of segments in its {part}'
            )
        lengths = segment_lengths(pred, skeleton)
        left, right = (lengths[:, list(side)] for side in zip(*pairs, strict=True))
        ratio = (left - right).abs() / (left + right).clamp_min(TINY)
        return ratio.mean(-1) * PERCENT

    @frame_metric(f'BSLE-{part}', unit='%', framewise=True)
    def part_length_error(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
        """BSLE over the segments that end in one part; (T,), percent."""
        within = _segments_of(skeleton, part)
        found = segment_lengths(pred, skeleton)[:, within]
        true = segment_lengths(gt, skeleton)[:, within]
        return ((found - true).abs() / true).mean(-1) * PERCENT


for _part in PARTS:
    _register_structure(_part)
