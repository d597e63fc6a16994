"""Truths made wrong in known ways, step by step."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sealpose.registry import NEGATIVES
from sealpose.skeletons import Skeleton


@dataclass(frozen=True)
class Kind:
    """A kind of corruption and how bad it gets.

    Args:
        type: Name in NEGATIVES.
        argument: Its argument that says how bad; None if it has no degrees.
        severities: Values of the argument, growing.
        unit: What the severity is printed in.
        factor: From the argument to that unit.
    """

    type: str
    argument: str | None = None
    severities: tuple[float, ...] = (0.0,)
    unit: str = ''
    factor: float = 1.0

    def configs(self) -> list[tuple[float, dict]]:
        """Return pairs of the severity and the config of the corruption."""
        return [
            (s, {'type': self.type, **({self.argument: s} if self.argument else {})})
            for s in self.severities
        ]


KINDS = (
    Kind('JointNoise', 'std', (0.005, 0.01, 0.02, 0.05, 0.1), 'mm per axis', 1000),
    Kind('BoneRotation', 'degrees', (5, 10, 20, 40, 90), 'degrees'),
    Kind('BoneScaling', 'spread', (0.02, 0.05, 0.1, 0.2, 0.4), '% at most', 100),
    Kind('SideSwap'),
    Kind('OtherPose'),
)


def corrupt(
    config: dict, x: Tensor, pred: Tensor, gt: Tensor, skeleton: Skeleton, seed: int = 0
) -> Tensor:
    """Corrupt each window of truths.

    The windows are shuffled first, so that the other pose of ``OtherPose`` is seldom a
    neighbour in time. The global random stream is as before afterwards.

    Args:
        config: Of a part registered in NEGATIVES.
        x: (W, L, J, 2), screen-normalised.
        pred: (W, L, J, 3), metres, root-relative, camera axes.
        gt: (W, L, J, 3), the truth.
        skeleton: Skeleton of the poses.
        seed: Chooses what is drawn.

    Returns:
        (W, L, J, 3), metres.
    """
    devices = [gt.device] if gt.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        order = torch.randperm(len(gt)).to(gt.device)
        corrupted = NEGATIVES.build(config)(x[order], pred[order], gt[order], skeleton)
    return corrupted[order.argsort()]
