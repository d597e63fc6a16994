"""The metrics in the forms in which papers' code computes them, for comparison.

Written for the benchmark: position errors with numpy over all frames at once in the
precision of the poses, structure with a Python loop over frames. All take prediction
and truth, (T, J, 3) metres, and the skeleton, and return one value per frame.
"""

from collections.abc import Callable

import numpy as np

from sealpose.skeletons import Skeleton

PublishedMetric = Callable[[np.ndarray, np.ndarray, Skeleton], np.ndarray]


def mpjpe(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    return 1000 * np.linalg.norm(pred - gt, axis=-1).mean(-1)


def p_mpjpe(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Procrustes by one batched SVD."""
    target_mean, pred_mean = gt.mean(1, keepdims=True), pred.mean(1, keepdims=True)
    target, source = gt - target_mean, pred - pred_mean
    target_size = np.sqrt((target**2).sum((1, 2), keepdims=True))
    source_size = np.sqrt((source**2).sum((1, 2), keepdims=True))
    target, source = target / target_size, source / source_size
    u, singular, vt = np.linalg.svd(target.transpose(0, 2, 1) @ source)
    sign = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= sign[:, None]
    singular[:, 2] *= sign
    rotation = (u @ vt).transpose(0, 2, 1)
    scale = singular.sum(1)[:, None, None] * target_size / source_size
    shift = target_mean - scale * (pred_mean @ rotation)
    return mpjpe(scale * (pred @ rotation) + shift, gt, skeleton)


def n_mpjpe(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    overlap = (pred * gt).sum((1, 2), keepdims=True)
    return mpjpe(overlap / (pred**2).sum((1, 2), keepdims=True) * pred, gt, skeleton)


def lse(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    found = []
    for pose in pred:
        ratios = []
        for left, right in skeleton.symmetric_segments:
            a, b = (_length(pose, skeleton.segments[i]) for i in (left, right))
            ratios.append(abs(a - b) / (a + b))
        found.append(100 * np.mean(ratios))
    return np.array(found)


def bsle(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    found = []
    for pose, true in zip(pred, gt, strict=True):
        errors = []
        for segment in skeleton.segments:
            length = _length(true, segment)
            errors.append(abs(_length(pose, segment) - length) / length)
        found.append(100 * np.mean(errors))
    return np.array(found)


def lle(pred: np.ndarray, gt: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    found = []
    for pose, true in zip(pred, gt, strict=True):
        errors = []
        for limb in skeleton.limb_segments.values():
            segments = [skeleton.segments[i] for i in limb]
            length = sum(_length(true, segment) for segment in segments)
            predicted = sum(_length(pose, segment) for segment in segments)
            errors.append(abs(predicted - length) / length)
        found.append(100 * np.mean(errors))
    return np.array(found)


def _length(pose: np.ndarray, segment: tuple[int, int]) -> float:
    parent, child = segment
    return np.linalg.norm(pose[child] - pose[parent])


ALL_AT_ONCE = {'MPJPE': mpjpe, 'P-MPJPE': p_mpjpe, 'N-MPJPE': n_mpjpe}
FRAME_BY_FRAME = {'LSE': lse, 'BSLE': bsle, 'LLE': lle}
