"""SEAL: a loss-net learns which poses are plausible while it trains the pose-net."""

from sealpose.seal.contrast import Contrast
from sealpose.seal.corrections import Symmetrised, TrueBoneLengths
from sealpose.seal.hook import SEALHook
from sealpose.seal.loss_nets import GraphLossNet, LossNet, MLPLossNet
from sealpose.seal.negatives import JointNoise
from sealpose.seal.objectives import (
    AdversarialObjective,
    MarginObjective,
    NCEObjective,
    RegressionObjective,
)
from sealpose.seal.trainer import LossNetTrainer

__all__ = [
    'AdversarialObjective',
    'Contrast',
    'GraphLossNet',
    'JointNoise',
    'LossNet',
    'LossNetTrainer',
    'MLPLossNet',
    'MarginObjective',
    'NCEObjective',
    'RegressionObjective',
    'SEALHook',
    'Symmetrised',
    'TrueBoneLengths',
]
