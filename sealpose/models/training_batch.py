"""One batch in training, and what its predictions are held against."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sealpose.skeletons import Skeleton


@dataclass
class TrainingBatch:
    """A batch with its truth; any prediction of it can be scored.

    Args:
        keypoints_2d: Input of the backbone, (B, T, J, C).
        target: Truth of the predicted frames, (B, T', J, 3), metres.
        skeleton: Of the prediction.
        count: Number of labelled windows, which come first.
        labelled: (B,) bool, windows that have truth. None means all.
        at_inference: Prediction (B, T', J, 3) in eval mode, once somebody asked for it.
    """

    keypoints_2d: Tensor
    target: Tensor
    skeleton: Skeleton
    count: int
    labelled: Tensor | None = None
    at_inference: Tensor | None = None

    @property
    def seen(self) -> Tensor:
        """2D keypoints (B, T', J, 2) of the predicted frames."""
        return centre(self.keypoints_2d, self.target.shape[1])[..., :2]

    def thinned(self, thinning: int) -> 'TrainingBatch':
        """Return every so many-th window."""
        rows = slice(None, None, thinning)
        return TrainingBatch(
            self.keypoints_2d[rows],
            self.target[rows],
            self.skeleton,
            len(range(self.count)[rows]),
            None if self.labelled is None else self.labelled[rows],
        )

    def losses(self, losses: nn.ModuleDict, pred: Tensor) -> dict[str, Tensor]:
        """Return ``loss_<name>`` for each loss.

        Args:
            losses: By name. Those whose class does not say ``needs_truth = False`` see
                the labelled windows alone.
            pred: (B, T', J, 3), metres, root-relative, camera axes.
        """
        values = {}
        for name, loss in losses.items():
            rows = slice(self.count if getattr(loss, 'needs_truth', True) else None)
            inputs = dict(keypoints_2d=self.seen, labelled=self.labelled)
            wanted = {key: inputs[key] for key in getattr(loss, 'inputs', ())}
            values[f'loss_{name}'] = loss(
                pred[rows], self.target[rows], self.skeleton, **wanted
            )
        return values

    def mpjpe(self, pred: Tensor) -> Tensor:
        """Mean joint error of the labelled windows in metres."""
        error = pred[: self.count] - self.target[: self.count]
        return torch.linalg.vector_norm(error, dim=-1).mean()


def centre(x: Tensor, frames: int) -> Tensor:
    """Cut (B, T, ...) to its middle frames."""
    start = (x.shape[1] - frames) // 2
    return x[:, start : start + frames]


def count_labelled(labelled: Tensor) -> int:
    """Number of labelled windows, which come before the others.

    Args:
        labelled: (B,) bool.

    Raises:
        ValueError: there is none, or they do not come first.
    """
    count = int(labelled.sum())
    if count == 0 or not labelled[:count].all():
        raise ValueError(
            f'{count} of the {len(labelled)} windows of a batch are labelled; there '
            'must be one at least, and they must come first. Use '
            "train_dataloader.batch_sampler=dict(type='FewLabelsBatchSampler')"
        )
    return count
