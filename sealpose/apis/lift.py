"""Lift the keypoints of a video with a trained pose-net."""

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from sealpose.apis.evaluate import build_tester
from sealpose.evaluation.metrics.pose_metric import TRUTHLESS_METRICS


def build_lifter(
    cfg: Config,
    checkpoint: str | Path,
    keypoints: str | Path,
    image_size: tuple[int, int] | None = None,
    min_score: float = 0.3,
    gaps: str = 'interpolate',
    constant_bones: bool = False,
) -> Runner:
    """Check everything and build the Runner that lifts a file of detections.

    Give it to :func:`~sealpose.apis.evaluate.evaluate`.

    Args:
        cfg: The config that the checkpoint was trained with.
        checkpoint: Checkpoint of its model.
        keypoints: File or folder of 2D keypoints; see
            :class:`~sealpose.datasets.detected_keypoints.DetectedKeypoints`.
        image_size: Width and height of the video, pixels.
        min_score: Joints with a lower confidence count as not seen.
        gaps: ``interpolate`` or ``mask`` joints that were not seen.
        constant_bones: Give every person bones that keep their length.
    """
    cfg.test_dataloader.dataset = dict(
        type='DetectedKeypoints',
        path=str(keypoints),
        image_size=image_size,
        skeleton=cfg.model.skeleton,
        min_score=min_score,
        gaps=gaps,
    )
    cfg.test_evaluator = dict(
        type='PoseMetric',
        measures=list(TRUTHLESS_METRICS),
        constant_bones=constant_bones,
    )
    return build_tester(cfg, checkpoint)
