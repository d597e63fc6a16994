"""Networks that score a pose: low energy for a plausible one."""

from sealpose.discovery import import_submodules
from sealpose.seal.loss_nets.base import LossNet
from sealpose.seal.loss_nets.bones import BoneLossNet
from sealpose.seal.loss_nets.graph import GraphLossNet
from sealpose.seal.loss_nets.mlp import MLPLossNet

import_submodules(__name__)

__all__ = ['BoneLossNet', 'GraphLossNet', 'LossNet', 'MLPLossNet']
