"""What a metric of a frame is, and how it gets its name and unit."""

from collections.abc import Callable

from torch import Tensor

from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import Skeleton

FrameMetric = Callable[[Tensor, Tensor, Skeleton], Tensor]

MM_PER_METRE = 1000.0
PERCENT = 100.0


def frame_metric(name: str, unit: str) -> Callable[[FrameMetric], FrameMetric]:
    """Register a function under the name and the unit that tables print.

    The function takes the prediction and the truth of one sequence, both (T, J, 3)
    metres, root-relative, camera axes, and the skeleton, and returns one value per
    frame; lower is better. Fewer values than frames are fine.

    Args:
        name: Name in configs and tables.
        unit: Unit of the values; becomes the function's attribute ``unit``.
    """

    def register(function: FrameMetric) -> FrameMetric:
        function.unit = unit
        return FRAME_METRICS.register_module(name=name, module=function)

    return register
