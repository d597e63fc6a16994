"""What the arguments of SEALHook have to be, together."""


def check_learning(
    objective: dict | None,
    optim_wrapper: dict | None,
    negatives: str,
    static: bool,
    init: str | None,
) -> None:
    """Ask for what a loss-net that learns, or one that does not, needs.

    Raises:
        ValueError: the arguments contradict each other.
    """
    if negatives not in ('shared', 'fresh'):
        raise ValueError(
            f"SEALHook: negatives must be 'shared' or 'fresh', but got {negatives!r}"
        )
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
