"""What goes wrong with 2D keypoints: noise, outliers, gaps, occlusion, few frames.

Each class has one argument that says how bad it is; docs/robustness.md lists them.
Lengths are in pixels of an image 1000 pixels wide, where a person of Human3.6M is some
400 tall.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from sealpose.datasets.sample_motion.detector import DIFFICULTY
from sealpose.datasets.transforms.base import KeypointTransform
from sealpose.datasets.transforms.spans import FILLS, draw_spans, hide, uniform
from sealpose.registry import TRANSFORMS
from sealpose.skeletons import Skeleton, get_skeleton

# Screen coordinates span 2 across the image.
PIXEL = 2 / 1000


@TRANSFORMS.register_module()
class DetectorNoise(KeypointTransform):
    """Gaussian noise that is larger at the extremities and lasts from frame to frame.

    A detector errs alike in images that are alike: the noise is a first-order
    autoregressive process. The relative size per joint is that of SampleMotion's
    detector: 1.6 at the wrists, 1.5 at the ankles, 0.7 at thorax and nose; 1 for joints
    that it does not know.

    Args:
        sigma: Standard deviation of each coordinate of a joint of size 1, pixels.
        memory: Correlation of the noise of two successive frames; 0 for white noise.
        skeleton: Whose joints.
    """

    def __init__(
        self, sigma: float, memory: float = 0.9, skeleton: str | Skeleton = 'h36m17'
    ) -> None:
        _check(sigma >= 0, 'DetectorNoise', 'sigma', 'be 0 or more pixels', sigma)
        _check(0 <= memory < 1, 'DetectorNoise', 'memory', 'lie in [0, 1)', memory)
        self.sigma = sigma
        self.memory = memory
        names = get_skeleton(skeleton).joint_names
        self.scale = torch.tensor(
            [DIFFICULTY.get(n.split('_')[-1], 1.0) for n in names]
        )

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return noisy keypoints, (B, T, J, C); confidences stay."""
        _check_joints(self, keypoints_2d.shape[2], len(self.scale))
        white = torch.randn(
            (*keypoints_2d.shape[:3], 2), generator=generator, device=generator.device
        )
        noise = _remember(white, self.memory).to(keypoints_2d)
        noise *= self.scale.to(keypoints_2d)[:, None]
        return _moved(keypoints_2d, self.sigma * PIXEL * noise)


@TRANSFORMS.register_module()
class GrossOutliers(KeypointTransform):
    """Keypoints that are somewhere else altogether, in any direction.

    Args:
        prob: Share of the keypoints.
        distance: Least and largest distance from the true place, pixels.
        duration: Frames that an outlier stays where it is.
    """

    def __init__(
        self,
        prob: float,
        distance: tuple[float, float] = (50.0, 200.0),
        duration: int = 1,
    ) -> None:
        _check_share(self, prob, duration)
        low, high = distance
        _check(
            0 <= low <= high,
            'GrossOutliers',
            'distance',
            'be (least, largest)',
            distance,
        )
        self.prob = prob
        self.distance = (low, high)
        self.duration = duration

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return keypoints with outliers, (B, T, J, C); confidences stay."""
        shape = keypoints_2d.shape[:3]
        spans = draw_spans(shape, self.prob, self.duration, generator)
        drawn = (shape[0], spans.draws, shape[2])
        angle = spans.pick(2 * math.pi * uniform(drawn, generator))
        share = spans.pick(uniform(drawn, generator))
        low, high = self.distance
        length = PIXEL * (low + (high - low) * share) * spans.active
        offset = torch.stack([length * angle.cos(), length * angle.sin()], -1)
        return _moved(keypoints_2d, offset.to(keypoints_2d))


@TRANSFORMS.register_module()
class MissingJoints(KeypointTransform):
    """Joints that the detector did not find.

    Args:
        prob: Share of the keypoints.
        fill: What stands there instead: ``mask``, the centre of the image, or ``last``,
            where the joint was last seen.
        duration: Frames that a joint stays missing.
    """

    def __init__(self, prob: float, fill: str = 'mask', duration: int = 1) -> None:
        _check_share(self, prob, duration)
        _check_fill(self, fill)
        self.prob = prob
        self.fill = fill
        self.duration = duration

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return keypoints with gaps, (B, T, J, C); confidences become 0 there."""
        shape = keypoints_2d.shape[:3]
        spans = draw_spans(shape, self.prob, self.duration, generator)
        return hide(keypoints_2d, spans.active, self.fill)


@TRANSFORMS.register_module()
class OccludedLimb(KeypointTransform):
    """One limb after another disappears for a while, with all that hangs on it.

    Args:
        prob: Share of the frames in which a limb is hidden.
        duration: Frames that it stays hidden.
        limbs: Which limbs of the skeleton; all if None.
        fill: As of :class:`MissingJoints`.
        skeleton: Whose limbs.
    """

    def __init__(
        self,
        prob: float,
        duration: int = 25,
        limbs: Sequence[str] | None = None,
        fill: str = 'mask',
        skeleton: str | Skeleton = 'h36m17',
    ) -> None:
        _check_share(self, prob, duration)
        _check_fill(self, fill)
        self.prob = prob
        self.duration = duration
        self.fill = fill
        self.members = _limb_members(get_skeleton(skeleton), limbs)

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return keypoints without the limb, (B, T, J, C); confidences become 0."""
        batch, frames, joints, _ = keypoints_2d.shape
        _check_joints(self, joints, self.members.shape[1])
        spans = draw_spans((batch, frames, 1), self.prob, self.duration, generator)
        drawn = uniform((batch, spans.draws, 1), generator)
        limb = spans.pick((drawn * len(self.members)).long())[..., 0]
        hidden = self.members.to(limb.device)[limb] & spans.active
        return hide(keypoints_2d, hidden, self.fill)


@TRANSFORMS.register_module()
class LowFrameRate(KeypointTransform):
    """A camera of fewer frames per second, brought back to the old number of frames.

    Args:
        every: One frame of so many is kept; 1 keeps all.
        between: The other frames: ``hold`` repeats the last one that was kept,
            ``linear`` interpolates between those around.
    """

    def __init__(self, every: int, between: str = 'hold') -> None:
        _check(every >= 1, 'LowFrameRate', 'every', 'be 1 or more frames', every)
        known = between in ('hold', 'linear')
        _check(known, 'LowFrameRate', 'between', 'be hold or linear', between)
        self.every = every
        self.between = between

    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return the keypoints at the lower rate, (B, T, J, C); nothing is drawn."""
        frames = keypoints_2d.shape[1]
        time = torch.arange(frames, device=keypoints_2d.device)
        before = time - time % self.every
        held = keypoints_2d[:, before]
        if self.between == 'hold':
            return held
        after = before + self.every
        # Behind the last frame that was kept there is nothing to go to.
        after = torch.where(after < frames, after, before)
        share = ((time - before) / self.every).to(keypoints_2d)[:, None, None]
        return held + share * (keypoints_2d[:, after] - held)


def _remember(white: Tensor, memory: float) -> Tensor:
    """Turn white noise (B, T, ...) into y[t] = memory * y[t-1] + w[t], unit variance.

    By doubling: after n rounds each frame has summed up 2**n frames.
    """
    noise = white * math.sqrt(1 - memory**2)
    noise[:, 0] = white[:, 0]
    step = 1
    while step < noise.shape[1] and memory**step > 1e-6:
        grown = noise.clone()
        grown[:, step:] += memory**step * noise[:, :-step]
        noise = grown
        step *= 2
    return noise


def _moved(keypoints_2d: Tensor, offset: Tensor) -> Tensor:
    moved = keypoints_2d.clone()
    moved[..., :2] += offset
    return moved


def _limb_members(skeleton: Skeleton, limbs: Sequence[str] | None) -> Tensor:
    """Return which joints hang on the first joint of each limb, (limbs, J) bool."""
    chosen = list(skeleton.limbs) if limbs is None else list(limbs)
    unknown = [limb for limb in chosen if limb not in skeleton.limbs]
    if unknown or not chosen:
        raise ValueError(
            f'OccludedLimb: expected limbs of the skeleton {skeleton.name!r} '
            f'({", ".join(skeleton.limbs) or "it has none"}), got '
            f'{", ".join(unknown) or "none"}'
        )
    members = torch.zeros(len(chosen), skeleton.num_joints, dtype=torch.bool)
    for row, limb in enumerate(chosen):
        members[row, skeleton.index(skeleton.limbs[limb][0])] = True
        for _ in range(skeleton.num_joints):
            for parent, child in skeleton.segments:
                members[row, child] |= members[row, parent]
    return members


def _check(ok: bool, name: str, argument: str, must: str, value: object) -> None:
    if not ok:
        raise ValueError(f'{name}: {argument} must {must}, got {value!r}')


def _check_share(transform: KeypointTransform, prob: float, duration: int) -> None:
    name = type(transform).__name__
    _check(0 <= prob <= 1, name, 'prob', 'lie in [0, 1]', prob)
    _check(duration >= 1, name, 'duration', 'be 1 or more frames', duration)


def _check_fill(transform: KeypointTransform, fill: str) -> None:
    must = f'be {" or ".join(FILLS)}'
    _check(fill in FILLS, type(transform).__name__, 'fill', must, fill)


def _check_joints(transform: KeypointTransform, found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(
            f'{type(transform).__name__}: its skeleton has {expected} joints, but the '
            f'keypoints have {found}; set its argument skeleton'
        )
