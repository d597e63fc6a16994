"""Layers that several backbones share."""

from sealpose.models.layers.attention import Attention
from sealpose.models.layers.drop_path import DropPath
from sealpose.models.layers.transformer import MLP, TransformerBlock

__all__ = ['MLP', 'Attention', 'DropPath', 'TransformerBlock']
