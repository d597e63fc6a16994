"""Hooks for mmengine's Runner that have nothing to do with SEAL."""

from sealpose.engine.hooks.bn_momentum import BNMomentumHook
from sealpose.engine.hooks.epoch_seed import EpochSeedHook
from sealpose.engine.hooks.plain_checkpoint import PlainCheckpointHook

__all__ = ['BNMomentumHook', 'EpochSeedHook', 'PlainCheckpointHook']
