"""Whether the truth has the lowest energy, and by the margin that was asked for."""

from torch import Tensor, nn

from sealpose.seal import MarginObjective


def ranked_right(energy_neg: Tensor, energy_pos: Tensor) -> Tensor:
    """Tell which negatives have more energy than the truth.

    Args:
        energy_neg: (N,), of the negatives.
        energy_pos: (N,), of the truths.

    Returns:
        (N,): 1 for more, 0 for less, 1/2 where they are equal, so that an energy that
        knows nothing has the mean 1/2.
    """
    gap = energy_neg - energy_pos
    return (gap.sign() + 1) / 2


def violated_hinges(
    objective: nn.Module | None,
    energy_neg: Tensor,
    energy_pos: Tensor,
    y_neg: Tensor,
    y_pos: Tensor,
) -> Tensor | None:
    """Tell which frames the objective still asks something of.

    An objective whose margin is the mean of a batch gets that of all these frames.

    Args:
        objective: A ranking objective.
        energy_neg: (N,), of the negatives.
        energy_pos: (N,), of the truths.
        y_neg: (N, J, 3), metres.
        y_pos: (N, J, 3), metres.

    Returns:
        (N,), 1 where the gap falls short of the margin, else 0; None for an objective
        without hinge.
    """
    if not isinstance(objective, MarginObjective) or objective.scale < 0:
        return None
    hinges = objective.hinges(energy_neg, energy_pos, y_neg, y_pos)
    return (hinges > 0).to(energy_neg)
