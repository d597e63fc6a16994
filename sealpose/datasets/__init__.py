"""Data sets: readers, sequences, windows."""

from sealpose.datasets.cmu_mocap import CMUMocap
from sealpose.datasets.human36m import Human36M
from sealpose.datasets.mocap_npz import MocapNpzDataset
from sealpose.datasets.sample_motion.dataset import SampleMotion
from sealpose.datasets.sequences import PoseSequence, SequenceStore, view_sequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.discovery import import_submodules

import_submodules(__name__)

__all__ = [
    'CMUMocap',
    'Human36M',
    'MocapNpzDataset',
    'PoseSequence',
    'SampleMotion',
    'SequenceStore',
    'WindowDataset',
    'view_sequence',
]
