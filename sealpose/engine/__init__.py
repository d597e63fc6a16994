"""What mmengine's Runner needs beside its own parts."""

from sealpose.engine.bf16 import Bf16OptimWrapper
from sealpose.engine.checkpoint import check_state_dict, read_checkpoint
from sealpose.engine.epoch_loop import ResumableEpochLoop
from sealpose.engine.hooks import (
    BNMomentumHook,
    EpochSeedHook,
    PlainCheckpointHook,
    Preempted,
    PreemptionHook,
    WholeCheckpointHook,
)
from sealpose.engine.loss_seeded import LossSeededOptimWrapper
from sealpose.engine.resume import find_resumable

__all__ = [
    'BNMomentumHook',
    'Bf16OptimWrapper',
    'EpochSeedHook',
    'LossSeededOptimWrapper',
    'PlainCheckpointHook',
    'Preempted',
    'PreemptionHook',
    'ResumableEpochLoop',
    'WholeCheckpointHook',
    'check_state_dict',
    'find_resumable',
    'read_checkpoint',
]
