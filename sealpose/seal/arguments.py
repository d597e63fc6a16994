"""What the arguments of SEALHook have to be, together and with the model."""

from torch import nn
from torch.nn.modules.dropout import _DropoutNd


def check_learning(
    objective: dict | None,
    optim_wrapper: dict | None,
    static: bool,
    init: str | None,
) -> None:
    """Ask for what a loss-net that learns, or one that does not, needs.

    Raises:
        ValueError: the arguments contradict each other.
    """
    if static and init is None:
        raise ValueError(
            'SEALHook: static=True keeps a pretrained loss-net as it is, so `init` has '
            'to name its checkpoint'
        )
    if not static and (objective is None or optim_wrapper is None):
        raise ValueError(
            'SEALHook: a loss-net that trains needs `objective` and `optim_wrapper`, '
            f'but got {objective=} and {optim_wrapper=}'
        )


def check_weight(energy_weight: float | None, energy_ratio: float | None) -> None:
    """Ask for one of a weight and a ratio.

    Raises:
        ValueError: both are given, or neither.
    """
    if (energy_weight is None) == (energy_ratio is None):
        raise ValueError(
            'SEALHook: give energy_weight, the weight of the energy, or energy_ratio, '
            'its gradient as a share of that of the other losses, and not both, but '
            f'got {energy_weight=} and {energy_ratio=}'
        )


def check_predictions(negatives: str, energy_at: str, one_pass: bool) -> None:
    """Ask for predictions that there are, and none twice.

    Raises:
        ValueError: an unknown name, two passes in eval mode, or an energy of another
            prediction than the one that the loss-net learns from.
    """
    if negatives not in ('shared', 'fresh'):
        raise ValueError(
            f"SEALHook: negatives must be 'shared' or 'fresh', but got {negatives!r}"
        )
    if energy_at not in ('training', 'inference', 'auto'):
        raise ValueError(
            "SEALHook: energy_at must be 'training', 'inference' or 'auto', but got "
            f'{energy_at!r}'
        )
    if negatives == 'fresh' and energy_at != 'training':
        raise ValueError(
            f"SEALHook: negatives='fresh' with {energy_at=} would predict the same "
            "twice; leave negatives='shared'"
        )
    if negatives == 'fresh' and one_pass:
        raise ValueError(
            'SEALHook: one_pass=True judges the prediction that is ranked, but '
            "negatives='fresh' ranks another one; leave negatives='shared'"
        )


def check_thinning(thinning: int) -> None:
    """Ask for a positive whole number.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(thinning, int) or thinning < 1:
        raise ValueError(
            'SEALHook: thinning=n lets the loss-net see every n-th window of a batch; '
            f'n has to be 1, 2, 3 ..., but got {thinning!r}'
        )


def check_all_labelled(one_pass: bool, labelled: object) -> None:
    """Ask for truth of all windows, where the loss-net judges what it learns from.

    Args:
        one_pass: Argument of SEALHook.
        labelled: Which windows have truth; None means all.

    Raises:
        ValueError: some may have none.
    """
    if one_pass and labelled is not None:
        raise ValueError(
            'SEALHook: one_pass=True judges the windows that the loss-net learns from, '
            'but some of these have no truth, from which it does not learn. Set '
            'one_pass=False'
        )


def at_inference(energy_at: str, model: nn.Module) -> bool:
    """Whether the energy acts on a prediction in eval mode.

    Args:
        energy_at: Argument of SEALHook.
        model: The pose-net.

    Raises:
        TypeError: it has to, but the model cannot predict so.
    """
    wanted = energy_at == 'inference' or (energy_at == 'auto' and _has_dropout(model))
    if wanted and not hasattr(model, 'pose_loss'):
        raise TypeError(
            f'SEALHook with {energy_at=} needs a model with the methods '
            '`predict_fresh(gradients, thinning)` and `pose_loss(pred, thinning)`, as '
            f'PoseLifter has them, but {type(model).__name__} has no pose_loss. Use '
            "'training'"
        )
    return wanted


def _has_dropout(model: nn.Module) -> bool:
    return any(
        isinstance(module, _DropoutNd) and module.p > 0 for module in model.modules()
    )
