"""Hooks for mmengine's Runner that have nothing to do with SEAL."""

from sealpose.engine.hooks.bn_momentum import BNMomentumHook
from sealpose.engine.hooks.compile import CompileHook
from sealpose.engine.hooks.data_wait import DataWaitHook
from sealpose.engine.hooks.deferred_scalars import DeferredScalarsHook
from sealpose.engine.hooks.epoch_seed import EpochSeedHook
from sealpose.engine.hooks.finite import FiniteHook, NonFiniteError
from sealpose.engine.hooks.log_files import LogFilesHook
from sealpose.engine.hooks.mean_teacher import MeanTeacherHook
from sealpose.engine.hooks.plain_checkpoint import PlainCheckpointHook
from sealpose.engine.hooks.preemption import Preempted, PreemptionHook
from sealpose.engine.hooks.prefetch import PrefetchHook
from sealpose.engine.hooks.shared_buffers import SharedBuffersHook
from sealpose.engine.hooks.short_history import ShortHistoryHook
from sealpose.engine.hooks.whole_checkpoint import WholeCheckpointHook

__all__ = [
    'BNMomentumHook',
    'CompileHook',
    'DataWaitHook',
    'DeferredScalarsHook',
    'EpochSeedHook',
    'FiniteHook',
    'LogFilesHook',
    'MeanTeacherHook',
    'NonFiniteError',
    'PlainCheckpointHook',
    'Preempted',
    'PreemptionHook',
    'PrefetchHook',
    'SharedBuffersHook',
    'ShortHistoryHook',
    'WholeCheckpointHook',
]
