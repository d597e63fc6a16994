"""The robustness settings by name: what gets worse, and by which steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One way in which the keypoints get worse.

    Args:
        axis: What the severity counts.
        severities: Those that are tested unless others are asked for.
        config: Severity, fill and skeleton to the config of the transform.
        clean: The severity that changes nothing.
    """

    axis: str
    severities: Sequence[float]
    config: Callable[[float, str, str], dict]
    clean: float = 0


SETTINGS = {
    'noise': Setting(
        'detector noise, sigma in px of 1000',
        (1, 2, 5, 10, 20),
        lambda sigma, fill, skeleton: dict(
            type='DetectorNoise', sigma=sigma, skeleton=skeleton
        ),
    ),
    'outliers': Setting(
        'gross outliers, % of keypoints',
        (1, 2, 5, 10, 20),
        lambda percent, fill, skeleton: dict(type='GrossOutliers', prob=percent / 100),
    ),
    'missing': Setting(
        'missing joints, % of keypoints',
        (1, 5, 10, 20, 40),
        lambda percent, fill, skeleton: dict(
            type='MissingJoints', prob=percent / 100, fill=fill
        ),
    ),
    'occlusion': Setting(
        'hidden limb, % of frames',
        (5, 10, 25, 50, 100),
        lambda percent, fill, skeleton: dict(
            type='OccludedLimb', prob=percent / 100, fill=fill, skeleton=skeleton
        ),
    ),
    'frame_rate': Setting(
        'frame rate, one frame kept of',
        (2, 3, 5, 10),
        lambda every, fill, skeleton: dict(type='LowFrameRate', every=int(every)),
        clean=1,
    ),
}
