"""Backbones: one published network a module, each registered under its name."""

from sealpose.discovery import import_submodules
from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.official import OfficialWeights

import_submodules(__name__)

__all__ = ['Backbone', 'OfficialWeights']
