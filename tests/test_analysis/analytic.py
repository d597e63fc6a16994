"""Energies that are known functions, and poses to try them on."""

import torch
from torch import Tensor, nn

from sealpose.analysis.poses import PoseSet
from sealpose.skeletons import get_skeleton
from tests.conftest import walking_joints

SKELETON = get_skeleton('h36m17')


def lifted(x: Tensor) -> Tensor:
    """The one true pose of keypoints: (..., J, 2) to (..., J, 3)."""
    return torch.cat([x, x.sum(-1, keepdim=True)], -1)


class Distance(nn.Module):
    """Mean distance of the joints to the true pose of the keypoints, to a power."""

    def __init__(self, power: int = 1) -> None:
        super().__init__()
        self.power = power

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        distance = torch.linalg.vector_norm(y - lifted(x), dim=-1)
        return distance.pow(self.power).mean(-1)


class Nonsense(nn.Module):
    """The same energy for every pose."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return 0.0 * y.sum((-2, -1)) + 3.0


def pose_set(errors: Tensor, sequences: int = 4) -> PoseSet:
    """Poses whose prediction is off by ``errors`` (N, J, 3), two views of each clip."""
    frames = len(errors)
    x = torch.from_numpy(walking_joints(frames)[..., :2])
    per_sequence = frames // sequences
    sequence = torch.arange(frames) // per_sequence
    return PoseSet(
        name='analytic',
        dataset='made up',
        skeleton=SKELETON,
        x=x,
        pred=lifted(x) + errors,
        gt=lifted(x),
        sequence=sequence,
        clip=sequence // 2,
        frame=torch.arange(frames) % per_sequence,
    )


def random_errors(frames: int, seed: int = 0) -> Tensor:
    """Errors in random directions, larger ones and smaller ones: (N, J, 3)."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.rand(frames, 1, 1, generator=generator) * 0.1 + 0.01
    return torch.randn(frames, 17, 3, generator=generator) * size
