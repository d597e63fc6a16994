"""What a metric of a frame is, and how it gets its name and unit."""

from collections.abc import Callable

import torch
from torch import Tensor

from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import Skeleton

FrameMetric = Callable[[Tensor, Tensor, Skeleton], Tensor]

MM_PER_METRE = 1000.0
PERCENT = 100.0


def frame_metric(
    name: str,
    unit: str,
    *,
    higher_is_better: bool = False,
    needs_truth: bool = True,
    framewise: bool = False,
    average: Callable[[Tensor], Tensor] = torch.mean,
) -> Callable[[FrameMetric], FrameMetric]:
    """Register a function under the name and the unit that tables print.

    The function takes the prediction and the truth of one sequence, both (T, J, 3)
    metres, root-relative, camera axes, and the skeleton, and returns one value per
    frame. Fewer values than frames are fine. The arguments become its attributes.

    Args:
        name: Name in configs and tables.
        unit: Unit of the values.
        higher_is_better: Whether a larger value is the better one.
        needs_truth: Whether it looks at the truth; those that do not can be measured in
            the wild.
        framewise: Whether the value of a frame depends on that frame alone. Such a
            metric is given blocks of frames from several sequences, which takes less
            time and memory.
        average: Makes the figure of an action, or of all frames, from its values, (N,)
            float64.
    """

    def register(function: FrameMetric) -> FrameMetric:
        """Mark the function and put it into the registry."""
        function.unit = unit
        function.higher_is_better = higher_is_better
        function.needs_truth = needs_truth
        function.framewise = framewise
        function.average = average
        return FRAME_METRICS.register_module(name=name, module=function)

    return register
