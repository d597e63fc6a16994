"""The backward pass of some published codes, to reproduce their runs."""

from mmengine.optim import OptimWrapper
from torch import Tensor

from sealpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class LossSeededOptimWrapper(OptimWrapper):
    """Multiplies every gradient by the value of the loss.

    MixSTE, KTPFormer and D3DP call ``backward`` with the loss itself as the seed, which
    minimises half the squared loss: the effective learning rate falls with the loss.
    Our recipes leave it out; with it they are the published ones to the letter.
    """

    def backward(self, loss: Tensor, **kwargs) -> None:
        """Back-propagate half the squared loss."""
        super().backward(loss * loss.detach(), **kwargs)
