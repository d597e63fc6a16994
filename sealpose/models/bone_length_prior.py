"""What is known of bone lengths before a person is seen: those of the training."""

import torch
from torch import Tensor, nn

from sealpose.geometry.bones import segment_lengths
from sealpose.geometry.kinematics import with_bone_lengths
from sealpose.skeletons import Skeleton


class BoneLengthPrior(nn.Module):
    """Moves predicted bone lengths towards the mean lengths of the training people.

    Bone directions and the origin stay. Needs no training of its own: the mean is taken
    over the truth of the training, and is part of the checkpoint.

    Args:
        skeleton: Of the poses.
        share: How far: 0 leaves the prediction as it is, 1 gives everybody the mean.

    Raises:
        ValueError: ``share`` is not between 0 and 1.
    """

    def __init__(self, skeleton: Skeleton, share: float = 0.0) -> None:
        super().__init__()
        if not 0 <= share <= 1:
            raise ValueError(
                'bone_prior: share is the part of the way to the mean bone lengths, '
                f'from 0 to 1, but got {share}'
            )
        self.skeleton = skeleton
        self.share = share
        self.register_buffer('lengths', torch.zeros(len(skeleton.segments)))
        self.register_buffer('batches', torch.zeros(()))

    @torch.no_grad()
    def observe(self, truth: Tensor) -> None:
        """Take in a batch of true poses (B, T', J, 3) in metres.

        A batch with NaN or infinity is left out: it must not spoil the lengths for
        good where its update is skipped.
        """
        mean = segment_lengths(truth.float(), self.skeleton).mean((0, 1))
        finite = mean.isfinite().all()
        self.batches += finite
        step = (mean - self.lengths) / self.batches.clamp(min=1)
        self.lengths += torch.where(finite, step, 0.0)

    def forward(self, pose: Tensor) -> Tensor:
        """Correct predictions (..., J, 3) in metres.

        Raises:
            RuntimeError: there has been no training to know lengths from.
        """
        if self.share == 0:
            return pose
        if self.batches == 0:
            raise RuntimeError(
                'bone_prior: no bone lengths are known, since the network was not '
                'trained with `bone_prior`. Train it with dict(share=0), which changes '
                'nothing but keeps the lengths, or leave bone_prior out'
            )
        lengths = segment_lengths(pose, self.skeleton)
        lengths = lengths + self.share * (self.lengths - lengths)
        return with_bone_lengths(pose, lengths, self.skeleton)
