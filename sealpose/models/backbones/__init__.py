"""Backbones: one published network a module."""

from sealpose.models.backbones.backbone import Backbone
from sealpose.models.backbones.simple_baseline import SimpleBaseline
from sealpose.models.backbones.videopose3d import VideoPose3D

__all__ = ['Backbone', 'SimpleBaseline', 'VideoPose3D']
