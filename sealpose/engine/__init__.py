"""What mmengine's Runner needs beside its own parts."""

from sealpose.engine.checkpoint import check_state_dict, read_checkpoint
from sealpose.engine.hooks import BNMomentumHook, EpochSeedHook, PlainCheckpointHook
from sealpose.engine.loss_seeded import LossSeededOptimWrapper

__all__ = [
    'BNMomentumHook',
    'EpochSeedHook',
    'LossSeededOptimWrapper',
    'PlainCheckpointHook',
    'check_state_dict',
    'read_checkpoint',
]
