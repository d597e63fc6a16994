"""Disturbances of the 2D input, for training batches and for whole test sequences."""

from sealpose.datasets.transforms.base import MASKED, KeypointTransform
from sealpose.discovery import import_submodules

import_submodules(__name__)

__all__ = ['MASKED', 'KeypointTransform']
