"""A pose as numbers that its structure, directions or keypoints decide."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sealpose.geometry.reprojection import reprojection_error
from sealpose.skeletons import Skeleton

# Metres that count as one: a long bone then has a length of about 2.
BONE_UNIT = 0.2
# Half image widths that count as one: 10 px of 1000.
RESIDUAL_UNIT = 0.02

FEATURES = ('lengths', 'directions', 'angles', 'keypoints', 'residual')


class BoneFeatures(nn.Module):
    """The features of single poses that loss-nets choose from.

    - ``lengths``: of every segment, and left minus right of the symmetric ones;
    - ``directions``: unit vector of every segment, camera axes;
    - ``angles``: cosine between every two segments (the kinematic chain space of
      B. Wandt et al., ECCV 2018, without its lengths);
    - ``keypoints``: the 2D keypoints, centred and scaled to unit spread;
    - ``residual``: what is left of the 2D keypoints when the pose is projected where it
      fits them best.

    Args:
        skeleton: Skeleton of the poses.
        features: Some of the above.
        focal: Focal length in half image widths, for ``residual``; None is a
            weakly perspective camera.

    Raises:
        ValueError: no feature, or an unknown one.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        features: Sequence[str],
        focal: float | None = None,
    ) -> None:
        super().__init__()
        check_features(features, FEATURES)
        self.skeleton = skeleton
        self.features = tuple(features)
        self.focal = focal
        self._register_places()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the features (N, F) of N poses.

        Args:
            x: 2D keypoints (N, J, 2), screen-normalised.
            y: Poses (N, J, 3), metres, root-relative, camera axes.
        """
        bones = y[:, self.bone_ends] - y[:, self.bone_starts]
        # The root of a square has no gradient at 0.
        lengths = (bones.square().sum(-1) + 1e-8).sqrt()
        directions = bones / lengths[..., None]
        parts = []
        if 'lengths' in self.features:
            difference = lengths[:, self.left] - lengths[:, self.right]
            parts += [lengths, 4 * difference]
            parts = [part / BONE_UNIT for part in parts]
        if 'directions' in self.features:
            parts.append(directions.flatten(1))
        if 'angles' in self.features:
            first, second = directions[:, self.first], directions[:, self.second]
            parts.append((first * second).sum(-1))
        if 'keypoints' in self.features:
            centred = x - x.mean(1, keepdim=True)
            spread = centred.square().mean((1, 2), keepdim=True).sqrt()
            parts.append((centred / spread.clamp(min=1e-4)).flatten(1))
        if 'residual' in self.features:
            residual = reprojection_error(y, x, self.focal) / RESIDUAL_UNIT
            parts.append(residual.flatten(1))
        return torch.cat(parts, -1)

    def _register_places(self) -> None:
        """Keep the places of joints and segments where the poses are.

        Lists would be copied to a GPU in every step, which waits for them.
        """
        segments = self.skeleton.segments
        first, second = torch.triu_indices(len(segments), len(segments), 1)
        starts, ends = torch.tensor(segments).unbind(1)
        pairs = torch.tensor(self.skeleton.symmetric_segments, dtype=torch.long)
        left, right = pairs.reshape(-1, 2).unbind(1)
        places = dict(
            bone_starts=starts,
            bone_ends=ends,
            left=left,
            right=right,
            first=first,
            second=second,
        )
        for name, place in places.items():
            self.register_buffer(name, place.clone(), persistent=False)


def check_features(features: Sequence[str], known: Sequence[str]) -> None:
    """Complain of features that nobody knows, or of none.

    Raises:
        ValueError: with the names that there are.
    """
    if not features or set(features) - set(known):
        raise ValueError(
            f'features must be some of {", ".join(known)}, but got {tuple(features)}'
        )
