"""How bad the worst frames are, which a mean over all frames hides."""

from functools import partial

from torch import Tensor

from sealpose.evaluation.functional.accuracy import mpjpe
from sealpose.evaluation.functional.frame_metric import frame_metric
from sealpose.skeletons import Skeleton


def worst_mean(values: Tensor, percent: int) -> Tensor:
    """Average the largest values; NaN is larger than any number.

    Args:
        values: (N,).
        percent: How many of the values count, rounded up to a whole number of them.
    """
    count = -(-len(values) * percent // 100)
    return values.topk(count).values.mean()


def _register_tail(percent: int) -> None:
    @frame_metric(
        f'MPJPE-worst{percent}',
        unit='mm',
        framewise=True,
        average=partial(worst_mean, percent=percent),
    )
    def tail(pred: Tensor, gt: Tensor, skeleton: Skeleton) -> Tensor:
        """MPJPE, of which a table shows the mean of the worst frames.

        ``mean of the ⌈percent · N / 100⌉ largest of N``: of the frames of an action,
        and of all frames for the mean over frames. Known as the conditional value at
        risk (Rockafellar and Uryasev, Journal of Risk 2000), here of the error.

        Returns:
            (T,), millimetres.
        """
        return mpjpe(pred, gt, skeleton)


for _percent in (5, 1):
    _register_tail(_percent)
