"""Layers that several backbones share."""

from sealpose.models.layers.attention import Attention
from sealpose.models.layers.drop_path import DropPath, drop_path_rates
from sealpose.models.layers.graph_conv import (
    LearnableGraphConv,
    neighbour_mean_adjacency,
)
from sealpose.models.layers.transformer import MLP, TransformerBlock

__all__ = [
    'MLP',
    'Attention',
    'DropPath',
    'LearnableGraphConv',
    'TransformerBlock',
    'drop_path_rates',
    'neighbour_mean_adjacency',
]
