"""What every loss-net shares: its skeleton, its shapes, frames scored one by one."""

from collections.abc import Sequence

from torch import Tensor, nn

from sealpose.skeletons import Skeleton, get_skeleton

# How a loss-net lets 2D and 3D meet.
FUSIONS = ('early', 'late', 'pose')


class LossNet(nn.Module):
    """Scores each frame of a pose sequence on its own.

    A subclass implements ``score``. Any other module with the same ``forward`` serves
    as a loss-net too.

    Args:
        skeleton: Skeleton of the poses, or its name.

    Attributes:
        frames_apart: Whether the energy of a frame depends on that frame alone.
    """

    frames_apart = True

    def __init__(self, skeleton: str | Skeleton) -> None:
        super().__init__()
        self.skeleton = get_skeleton(skeleton)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy of each frame.

        Args:
            x: 2D keypoints (B, T', J, 2), screen-normalised.
            y: Poses (B, T', J, 3), metres, root-relative, camera axes.

        Returns:
            (B, T'), low for plausible.

        Raises:
            ValueError: a shape does not fit the skeleton or the other one.
        """
        self._check_shapes(x, y)
        return self.score(x.flatten(0, 1), y.flatten(0, 1)).unflatten(0, x.shape[:2])

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the energy (N,) of N single poses.

        Args:
            x: 2D keypoints (N, J, 2), screen-normalised.
            y: Poses (N, J, 3), metres, root-relative, camera axes.
        """
        raise NotImplementedError(f'{type(self).__name__} has to implement score()')

    def _check_shapes(self, x: Tensor, y: Tensor) -> None:
        joints = self.skeleton.num_joints
        fits = x.dim() == 4 and x.shape[2:] == (joints, 2)
        if fits and y.shape == (*x.shape[:3], 3):
            return
        raise ValueError(
            f'{type(self).__name__} scores poses of the skeleton '
            f'{self.skeleton.name!r}: it expects x (batch, frames, {joints}, 2) and y '
            f'(batch, frames, {joints}, 3) with equal batch and frames, but was given '
            f'x {tuple(x.shape)} and y {tuple(y.shape)}. Choose the skeleton of the '
            'data in the loss-net; single frames need a frame axis of length 1'
        )


def check_choice(owner: object, name: str, value: str, choices: Sequence[str]) -> str:
    """Return an argument that must be one of several words.

    Raises:
        ValueError: it is none of them.
    """
    if value not in choices:
        raise ValueError(
            f'{type(owner).__name__}: {name} must be one of {", ".join(choices)}, but '
            f'got {value!r}'
        )
    return value
