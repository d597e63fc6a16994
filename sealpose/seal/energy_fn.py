"""What a model calls with each training batch: the loss-net learns, the energy acts."""

from functools import partial

from torch import Tensor, nn

from sealpose.seal.arguments import check_all_labelled
from sealpose.seal.energy_term import EnergyTerm, Judge
from sealpose.seal.figures import FigureMeans
from sealpose.seal.trainer import LossNetTrainer


class EnergyFn:
    """Trains the loss-net on a batch and returns the energy for the pose-net.

    Args:
        trainer: Of the loss-net.
        term: Weighs the energy.
        model: The model that calls; it predicts once more where that is needed.
        at_inference: Whether the energy is that of a prediction in eval mode.
        fresh: Whether the loss-net learns from such a prediction, made for it alone.
        one_pass: Whether the loss-net judges in the pass in which it learns.
        thinning: Of the windows of a batch, every so many-th is seen.

    Attributes:
        iteration: Of the run; to be set before each.
        figures: Of the iterations since somebody read them.
    """

    def __init__(
        self,
        trainer: LossNetTrainer,
        term: EnergyTerm,
        model: nn.Module,
        *,
        at_inference: bool = False,
        fresh: bool = False,
        one_pass: bool = False,
        thinning: int = 1,
    ) -> None:
        self.trainer = trainer
        self.term = term
        self.model = model
        self.at_inference = at_inference
        self.fresh = fresh
        self.one_pass = one_pass
        self.thinning = thinning
        self.iteration = 0
        self.figures = FigureMeans()

    def __call__(
        self,
        x: Tensor,
        pred: Tensor,
        target: Tensor,
        labelled: Tensor | None = None,
        pose_loss: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Teach and judge.

        Args:
            x: 2D keypoints (B, T', J, 2) of the predicted frames, screen-normalised.
            pred: (B, T', J, 3), metres, root-relative, camera axes.
            target: True poses, like ``pred``.
            labelled: (B,) bool, the windows that have truth, which come first. The
                loss-net learns from these; the energy acts on all.
            pose_loss: Sum of the other losses, with which the energy is weighed; needed
                for ``energy_ratio``.

        Returns:
            ``loss_energy``, or nothing while the energy has no weight.
        """
        thinning = self.thinning
        if self.at_inference:
            pred = self.model.predict_fresh(gradients=True, thinning=thinning)
            pose_loss = self.model.pose_loss(pred, thinning=thinning)
            judged, thinning = pred, 1
        else:
            judged = pred[::thinning]
        seen = (x[:: self.thinning], judged, target[:: self.thinning])
        if labelled is not None:
            labelled = labelled[:: self.thinning]
        figures, judge = self._teach(*seen, labelled)
        energy, more = self.term(judge, pred, pose_loss, self.iteration, thinning)
        figures = {**more, **figures}
        if figures:
            self.figures.add(figures)
        return {} if energy is None else {'loss_energy': energy}

    def _teach(
        self, x: Tensor, pred: Tensor, target: Tensor, labelled: Tensor | None
    ) -> tuple[dict[str, Tensor], Judge]:
        """Train the loss-net; return its figures, and what judges the prediction."""
        judge = partial(self.trainer.energy_and_gradient, x, pred)
        if self.trainer.frozen:
            return {}, judge
        check_all_labelled(self.one_pass, labelled)
        if self.one_pass and self.term.acts(self.iteration):
            figures, *judged = self.trainer.step_and_judge(x, pred, target)
            return figures, lambda: tuple(judged)
        ranked = pred
        if self.fresh:
            ranked = self.model.predict_fresh(thinning=self.thinning)
        rows = slice(None if labelled is None else int(labelled.sum()))
        return self.trainer.step(x[rows], ranked[rows], target[rows]), judge
