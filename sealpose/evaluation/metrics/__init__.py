"""Metrics as mmengine's Evaluator takes them."""

from sealpose.evaluation.metrics.pose_metric import PoseMetric

__all__ = ['PoseMetric']
