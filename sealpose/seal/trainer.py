"""Trains a loss-net beside a pose-net, in anybody's training loop."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sealpose.seal.contrast import Contrast
from sealpose.seal.figures import ranking_figures
from sealpose.seal.random_stream import RandomStream, derive_seed
from sealpose.seal.shared_pass import SharedPass, check_one_pass


class LossNetTrainer:
    """A loss-net, how it learns, and the energy that the pose-net minimises.

    Every iteration calls ``step`` first, then adds ``energy`` to the loss of the
    pose-net::

        >>> import torch
        >>> from sealpose.seal import GraphLossNet, LossNetTrainer, MarginObjective
        >>> pose_net = torch.nn.Linear(2, 3)
        >>> x, y = torch.randn(4, 1, 17, 2), torch.randn(4, 1, 17, 3)
        >>>
        >>> loss_net = GraphLossNet('h36m17')
        >>> optimizer = torch.optim.AdamW(loss_net.parameters(), lr=1e-4)
        >>> seal = LossNetTrainer(loss_net, MarginObjective(), optimizer)
        >>>
        >>> y_pred = pose_net(x)
        >>> figures = seal.step(x, y_pred, y)
        >>> loss = (y_pred - y).norm(dim=-1).mean() + 1e-3 * seal.energy(x, y_pred)
        >>> loss.backward()

    The loss-net's dropout draws from a random stream of its own, so the pose-net sees
    the same random numbers as without it. The precision is its own too: full under a
    plain optimizer, mixed under a Bf16OptimWrapper, whatever autocast surrounds it.

    Args:
        loss_net: The loss-net, on its device.
        objective: Ranking objective.
        optimizer: Optimizer of the loss-net's parameters, plain or in mmengine's
            OptimWrapper. With neither objective nor optimizer the loss-net is frozen:
            ``energy`` works, ``step`` does not.
        step_net: What ``step`` calls in place of the loss-net: its DDP wrapper.
        contrast: Which poses are ranked beside prediction and truth; None means none.
        updates: Updates of the loss-net in one ``step``, with new dropout and new
            synthetic negatives each.

    Raises:
        ValueError: only one of objective and optimizer is given, or the optimizer
            holds parameters that are not the loss-net's.
    """

    def __init__(
        self,
        loss_net: nn.Module,
        objective: nn.Module | None = None,
        optimizer: torch.optim.Optimizer | OptimWrapper | None = None,
        step_net: nn.Module | None = None,
        contrast: Contrast | None = None,
        updates: int = 1,
    ) -> None:
        if (objective is None) != (optimizer is None):
            raise ValueError(
                'LossNetTrainer needs an objective and an optimizer to train the '
                f'loss-net, or neither to keep it frozen, but got {objective=} and '
                f'{optimizer=}'
            )
        self.loss_net = loss_net
        self.step_net = loss_net if step_net is None else step_net
        self.objective = objective
        self.contrast = contrast or Contrast()
        self.updates = updates
        self.optim_wrapper = _wrap(optimizer, loss_net)
        if self.frozen:
            loss_net.requires_grad_(False)
        self._trainable = [p for p in loss_net.parameters() if p.requires_grad]
        self._has_batch_norm = any(
            isinstance(module, _BatchNorm) for module in loss_net.modules()
        )
        self._stream = RandomStream(derive_seed(torch.initial_seed()))

    @property
    def frozen(self) -> bool:
        """Whether the loss-net never learns."""
        return self.optim_wrapper is None

    def seed(self, value: int) -> None:
        """Restart the random stream of the loss-net's dropout."""
        self._stream.seed(value)

    def step(self, x: Tensor, y_pred: Tensor, y_true: Tensor) -> dict[str, Tensor]:
        """Let the loss-net learn from one batch; no gradient reaches the pose-net.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y_pred: Predicted poses (B, T', J, 3), metres, root-relative, camera axes.
            y_true: True poses, like ``y_pred``.

        Returns:
            Scalars without gradient: ``objective``; the mean ``energy_pred`` and
            ``energy_true``; ``energy_gap``, the first minus the second;
            ``ranked_right``, the share of frames whose prediction has more energy than
            the truth; ``violated``, the share of hinges that still push, where the
            objective has some. Of several updates, those of the last.
        """
        for _ in range(self.updates):
            figures, _ = self._update(x, y_pred, y_true)
        return figures

    def step_and_judge(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Let the loss-net learn from one batch, and judge the prediction on the way.

        The energy is that of the loss-net before its update and in train mode, as the
        update computes it: instead of :meth:`step` and :meth:`energy_and_gradient`, at
        two thirds of their cost or less.

        Args:
            x: As in :meth:`step`.
            y_pred: Likewise.
            y_true: Likewise.

        Returns:
            The figures of :meth:`step`; mean energy of the prediction, and its gradient
            there (B, T', J, 3), both detached.

        Raises:
            ValueError: the loss-net mixes frames, or there are several updates.
            TypeError: the loss-net computes in float16.
        """
        check_one_pass(self.loss_net, self.updates)
        figures, judged = self._update(x, y_pred, y_true, judge=True)
        return figures, *judged.energy_and_gradient()

    def energy(self, x: Tensor, y_pred: Tensor) -> Tensor:
        """Return the mean energy, to be minimised by the pose-net.

        The loss-net is in eval mode and its parameters receive no gradient.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y_pred: Predicted poses (B, T', J, 3), metres, root-relative, camera axes.

        Returns:
            Scalar with a graph to ``y_pred`` alone.
        """
        self.loss_net.eval()
        with self._fixed_weights(), self._precision(x.device):
            energy = self.loss_net(x.detach(), y_pred.to(x.dtype))
        return energy.to(x.dtype).mean()

    def energy_and_gradient(self, x: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean energy and its gradient at the prediction, both detached.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y_pred: Predicted poses (B, T', J, 3), metres, root-relative, camera axes.

        Returns:
            Scalar, and (B, T', J, 3) like ``y_pred``.
        """
        y_pred = y_pred.detach().requires_grad_(True)
        with torch.enable_grad():
            energy = self.energy(x, y_pred)
            (gradient,) = torch.autograd.grad(energy, y_pred)
        return energy.detach(), gradient

    def state_dict(self) -> dict:
        """Return the state: ``loss_net``, and ``optimizer`` unless frozen."""
        state = {'loss_net': self.loss_net.state_dict()}
        if not self.frozen:
            state['optimizer'] = self.optim_wrapper.state_dict()
        return state

    def load_state_dict(self, state: dict) -> None:
        """Restore what ``state_dict`` returned.

        Raises:
            KeyError: the state lacks an entry.
            RuntimeError: the loss-net's weights do not fit.
            ValueError: the optimizer's state does not fit.
        """
        self.loss_net.load_state_dict(state['loss_net'])
        if not self.frozen:
            # A copy, since mmengine takes entries out of what it is given.
            self.optim_wrapper.load_state_dict(dict(state['optimizer']))

    def _update(
        self, x: Tensor, y_pred: Tensor, y_true: Tensor, judge: bool = False
    ) -> tuple[dict[str, Tensor], SharedPass | None]:
        if self.frozen:
            raise RuntimeError(
                'this loss-net is frozen: LossNetTrainer was built without objective '
                'and optimizer. Give it both, or do not call step()'
            )
        x, y_true = x.detach(), y_true.detach()
        # The pose-net may run in half precision; distances in metres need more.
        y_pred = y_pred.detach().to(y_true.dtype)
        self.step_net.train()
        judged = None
        with torch.enable_grad(), _autocast_off(x.device):
            with (
                self._stream.active(x.device),
                self.optim_wrapper.optim_context(self.step_net),
            ):
                poses = self.contrast.poses(x, y_pred, y_true).requires_grad_(judge)
                energies = self._energies(x, poses)
            if judge:
                judged = SharedPass(poses, energies, self.contrast.PREDICTION)
            energies, poses = energies.to(y_true.dtype), poses.detach()
            objective = self.contrast.objective(self.objective, energies, poses)
            self.optim_wrapper.update_params(objective)
        # One by one: a list of places would be copied to a GPU, which waits for it.
        pred = energies.detach()[self.contrast.PREDICTION]
        true = energies.detach()[self.contrast.TRUTH]
        figures = {'objective': objective.detach(), **ranking_figures(pred, true)}
        if hasattr(self.objective, 'hinges'):
            hinges = self.objective.hinges(pred, true, y_pred, y_true)
            figures['violated'] = (hinges > 0).to(pred.dtype).mean()
        return figures, judged

    def _energies(self, x: Tensor, poses: Tensor) -> Tensor:
        """Energies (K, B, T') of (K, B, T', J, 3)."""
        if self._has_batch_norm:
            # In one batch the statistics of truth and negatives would mix.
            return torch.stack([self.step_net(x, pose) for pose in poses])
        flat = self.step_net(x.repeat(len(poses), 1, 1, 1), poses.flatten(0, 1))
        return flat.unflatten(0, poses.shape[:2])

    @contextmanager
    def _fixed_weights(self) -> Iterator[None]:
        for parameter in self._trainable:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self._trainable:
                parameter.requires_grad_(True)

    @contextmanager
    def _precision(self, device: torch.device) -> Iterator[None]:
        if self.frozen:
            yield
            return
        with _autocast_off(device), self.optim_wrapper.optim_context(self.loss_net):
            yield


def _autocast_off(device: torch.device) -> AbstractContextManager:
    # Without the cache: it would serve weights from before the optimizer's step.
    return torch.autocast(device.type, enabled=False, cache_enabled=False)


def _wrap(
    optimizer: torch.optim.Optimizer | OptimWrapper | None, loss_net: nn.Module
) -> OptimWrapper | None:
    if optimizer is None:
        return None
    # The groups of a wrapper may hold a stand-in of mmengine's with the base settings.
    bare = optimizer.optimizer if isinstance(optimizer, OptimWrapper) else optimizer
    own = {id(parameter) for parameter in loss_net.parameters()}
    foreign = sum(
        id(parameter) not in own
        for group in bare.param_groups
        for parameter in group['params']
    )
    if foreign:
        raise ValueError(
            f'the optimizer of the loss-net holds {foreign} parameters that are not '
            "the loss-net's. Build it from loss_net.parameters() alone: a shared "
            'optimizer would train the loss-net towards low energies everywhere'
        )
    if isinstance(optimizer, OptimWrapper):
        return optimizer
    return OptimWrapper(optimizer)
