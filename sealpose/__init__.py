"""SEAL-pose: 3D human pose lifting trained with a learned structural loss."""

from sealpose.version import __version__

__all__ = ['__version__']
