"""Metrics of a frame: ``(pred, gt, skeleton) -> per-frame tensor``, nothing else."""

from sealpose.discovery import import_submodules
from sealpose.evaluation.functional.accuracy import mpjpe, mpjve, n_mpjpe, p_mpjpe
from sealpose.evaluation.functional.frame_metric import FrameMetric, frame_metric
from sealpose.evaluation.functional.structure import (
    bsle,
    bsle_mm,
    lle,
    lle_mm,
    lse,
    lse_mm,
)

import_submodules(__name__)

__all__ = [
    'FrameMetric',
    'bsle',
    'bsle_mm',
    'frame_metric',
    'lle',
    'lle_mm',
    'lse',
    'lse_mm',
    'mpjpe',
    'mpjve',
    'n_mpjpe',
    'p_mpjpe',
]
