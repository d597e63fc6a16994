"""The energy as one of the pose-net's losses: its value, its weight, its gradient."""

from collections.abc import Callable

from torch import Tensor, autograd

from sealpose.seal.balance import GradientBalance
from sealpose.seal.schedule import EnergyWeight

Judge = Callable[[], tuple[Tensor, Tensor]]


class EnergyTerm:
    """Weighs the energy for the pose-net, by a number or against its other losses.

    Args:
        strength: By iteration: the weight of the mean energy, or with ``by_ratio`` the
            norm of its gradient at the prediction as a share of that of the others.
        by_ratio: Which of the two.
        deconflict: Take from the gradient of the energy, joint by joint, the part that
            points against that of the other losses: what is left of it changes the
            structure without undoing, to first order, what they do. After T. Yu et al.,
            Gradient surgery for multi-task learning, NeurIPS 2020, there for whole
            gradients of the parameters.
    """

    def __init__(
        self,
        strength: EnergyWeight,
        by_ratio: bool = False,
        deconflict: bool = False,
    ) -> None:
        self.strength = strength
        self.by_ratio = by_ratio
        self.deconflict = deconflict
        self.balance = GradientBalance()

    def __call__(
        self,
        judge: Judge,
        pred: Tensor,
        pose_loss: Tensor | None,
        iteration: int,
        thinning: int = 1,
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Return the weighted energy, None while it has no weight, and its figures.

        Args:
            judge: Returns the mean energy of the windows that are judged, and its
                gradient at their prediction; called if the energy has a weight.
            pred: (B, T', J, 3), metres, root-relative, camera axes.
            pose_loss: Sum of the other losses; needed for a ratio.
            iteration: Of the run.
            thinning: Every so many-th window is judged.

        Raises:
            TypeError: the ratio to other losses is asked for, but they are not given.
        """
        if not self.acts(iteration):
            return None, {}
        energy, gradient = judge()
        figures = {'energy_pred': energy}
        if pose_loss is not None:
            (pull,) = autograd.grad(pose_loss, pred, retain_graph=True)
            # Of a mean over the judged windows alone, as the energy is.
            pull = thinning * pull[::thinning]
            figures.update(self.balance.update(pull, gradient))
            if self.deconflict:
                gradient = without_conflict(gradient, pull)
        elif self.by_ratio or self.deconflict:
            raise TypeError(
                'energy_ratio and deconflict compare the energy with the other losses, '
                'but the model calls energy_fn without `pose_loss`. Pass their sum, or '
                'set energy_weight alone'
            )
        # The value of the energy with its gradient, which is known already: no second
        # pass through the loss-net.
        judged = pred[::thinning]
        tangent = (gradient * (judged - judged.detach())).sum()
        return self.weight(iteration) * (energy + tangent), figures

    def acts(self, iteration: int) -> bool:
        """Whether the energy has a weight in this iteration."""
        return self.strength.at(iteration) != 0

    def weight(self, iteration: int) -> Tensor | float:
        """Return the present weight of the mean energy."""
        strength = self.strength.at(iteration)
        if self.by_ratio and strength > 0:
            return self.balance.weight(strength)
        return strength


def without_conflict(gradient: Tensor, other: Tensor) -> Tensor:
    """Take from a gradient what points against another, joint by joint.

    Args:
        gradient: (..., J, 3).
        other: Like ``gradient``; where it is 0, nothing is taken.
    """
    overlap = (gradient * other).sum(-1, keepdim=True).clamp(max=0)
    power = other.square().sum(-1, keepdim=True)
    return gradient - overlap / power.clamp(min=1e-30) * other
