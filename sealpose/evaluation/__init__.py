"""Evaluation: metrics of a frame, and what makes tables of them."""

from sealpose.evaluation.aggregate import evaluate_poses
from sealpose.evaluation.functional import frame_metric
from sealpose.evaluation.metrics import PoseMetric
from sealpose.evaluation.predictions import load_predictions, save_predictions
from sealpose.evaluation.report import EvaluationReport

__all__ = [
    'EvaluationReport',
    'PoseMetric',
    'evaluate_poses',
    'frame_metric',
    'load_predictions',
    'save_predictions',
]
