"""Networks that score a pose: low energy for a plausible one."""

from sealpose.seal.loss_nets.base import LossNet
from sealpose.seal.loss_nets.graph import GraphLossNet
from sealpose.seal.loss_nets.mlp import MLPLossNet

__all__ = ['GraphLossNet', 'LossNet', 'MLPLossNet']
