"""What a backbone costs: its parameters and its arithmetic."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

try:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    plain_attention = partial(sdpa_kernel, SDPBackend.MATH)
except ImportError:  # before torch 2.3
    plain_attention = partial(
        torch.backends.cuda.sdp_kernel, enable_flash=False, enable_mem_efficient=False
    )


@dataclass(frozen=True)
class Complexity:
    """Cost of a backbone.

    Attributes:
        parameters: Parameters, frozen ones too.
        flops: Floating-point operations for one window, a multiply-add counting two.
        frames: Frames T' that the window predicts.
    """

    parameters: int
    flops: int
    frames: int

    @property
    def flops_per_frame(self) -> float:
        """Operations for each predicted frame."""
        return self.flops / self.frames


def measure_complexity(backbone: nn.Module, num_joints: int) -> Complexity:
    """Count the parameters of a backbone, and the operations of one window.

    Matrix products, convolutions and attention are counted; element-wise work, such as
    norms and activations, is not, as is usual.

    Args:
        backbone: Declares ``num_frames``.
        num_joints: Joints J of its skeleton.
    """
    x = torch.zeros(1, backbone.num_frames, num_joints, 2)
    training = backbone.training
    backbone.eval()
    # Fused attention has no count on every device; its plain form has one everywhere.
    with (
        torch.no_grad(),
        plain_attention(),
        FlopCounterMode(display=False) as counter,
    ):
        pred = backbone(x)
    backbone.train(training)
    return Complexity(
        parameters=sum(p.numel() for p in backbone.parameters()),
        flops=counter.get_total_flops(),
        frames=pred.shape[1],
    )
