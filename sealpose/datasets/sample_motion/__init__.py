"""People that move, generated on the fly: the data set that needs no file."""

from sealpose.datasets.sample_motion.dataset import SampleMotion

__all__ = ['SampleMotion']
