"""SEAL: a loss-net learns which poses are plausible while it trains the pose-net."""

from sealpose.seal.hook import SEALHook
from sealpose.seal.loss_nets import GraphLossNet, LossNet, MLPLossNet
from sealpose.seal.objectives import MarginObjective, NCEObjective
from sealpose.seal.trainer import LossNetTrainer

__all__ = [
    'GraphLossNet',
    'LossNet',
    'LossNetTrainer',
    'MLPLossNet',
    'MarginObjective',
    'NCEObjective',
    'SEALHook',
]
