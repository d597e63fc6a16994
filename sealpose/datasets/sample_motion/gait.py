"""Walking from the mean joint-angle curves of normal adults.

The curves are means of normal adults at their natural cadence, rounded to degrees:
knee flexion as in Winter, "The Biomechanics and Motor Control of Human Gait" (2nd ed.,
1991) and Perry and Burnfield, "Gait Analysis" (2nd ed., 2010); the thigh's angle to the
vertical, which is the hip flexion of Kadaba et al. (1990) less the forward tilt of the
pelvis. The ankle is replaced by the angle of the foot to the floor, so that the roll
from heel to ball is explicit. They are transcribed from the shape of the published
curves, so a few degrees of difference are to be expected: data to try things out with,
not a reference for clinical use.

The pelvis has no path of its own: it moves so that the foot that carries stands still
on the floor. Step length follows cadence by the constant walk ratio of Sekiya and
Nagasaki (1998).
"""

from collections.abc import Callable

import numpy as np

from sealpose.datasets.sample_motion.anthropometry import Body
from sealpose.datasets.sample_motion.kinematics import (
    OUTWARDS,
    Script,
    rotation,
    trunk_rotation,
)
from sealpose.datasets.sample_motion.timing import drift, minimum_jerk, seconds

Heading = Callable[[np.ndarray], np.ndarray]

# Degrees at 0, 5, ... 95 % of the cycle, which begins at the contact of the heel.
THIGH_ANGLE = (  # to the vertical, forwards positive
    25, 24, 21, 17, 12, 7, 2, -4, -9, -14,
    -18, -18, -12, -2, 9, 18, 24, 27, 27, 26,
)  # fmt: skip
KNEE_FLEXION = (
    4, 11, 17, 19, 18, 15, 11, 8, 7, 8,
    12, 22, 37, 53, 63, 63, 53, 35, 16, 5,
)  # fmt: skip
FOOT_PITCH = (  # toes up positive
    20, 8, 1, 0, 0, 0, 0, -1, -4, -10,
    -19, -35, -55, -62, -50, -30, -12, 3, 15, 22,
)  # fmt: skip
HARMONICS = 7
STANCE_END = 0.62
MID_STANCE = 0.3
MIN_KNEE = np.radians(4)
SOFTNESS = 0.004  # metres
# From here on the foot turns on its ball towards the next step.
PIVOT = 0.55
# Step length over cadence, metres per step/min, at a stature of 1.7 m.
WALK_RATIO = 0.0064
# Cadence (steps/min) to which the curves belong: there they give the step length of the
# walk ratio.
NATURAL_CADENCE = 114.5


def cycle_curve(degrees: tuple[float, ...], phase: np.ndarray) -> np.ndarray:
    """Evaluate a periodic curve from its samples by a Fourier series.

    Args:
        degrees: Evenly spaced samples of one cycle.
        phase: (...), cycles.

    Returns:
        (...), radians.
    """
    terms = np.fft.rfft(np.radians(degrees))[: HARMONICS + 1] / len(degrees)
    turns = 2 * np.pi * phase[..., None] * np.arange(1, HARMONICS + 1)
    waves = terms.real[1:] * np.cos(turns) - terms.imag[1:] * np.sin(turns)
    return terms.real[0] + 2 * waves.sum(-1)


def walking(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Walk round a small oval, at a speed and in a style of one's own."""
    cadence = rng.uniform(80, 110)
    phase = rng.uniform() + cadence / 120 * seconds(frames)
    sides = phase[:, None] + np.array([0.0, 0.5])
    liveliness = rng.uniform(0.94, 1.06)
    stride = 2 * WALK_RATIO * cadence * liveliness * body.stature / 1.7
    heading = _heading(rng, stride)
    leg_yaw = _leg_yaw(sides, heading)
    amplitude = liveliness * cadence / NATURAL_CADENCE
    legs, soles, share = _legs(body, sides, amplitude, leg_yaw)
    tilt = _pelvis_tilt(rng, phase, heading(phase))
    beside = OUTWARDS[:, None] * trunk_rotation(tilt)[:, None, :, 1]
    hips = body.hip_half_width * beside
    pelvis = _carried(hips[:, :, None] + soles, share, sides)
    return Script(
        pelvis=pelvis,
        tilt=tilt,
        trunk=_trunk(rng, phase),
        head=np.radians([5, 3, 6]) * drift(rng, frames, (3,)),
        arms=_arm_swing(rng, phase),
        ankles=pelvis[:, None] + hips + legs,
        foot_yaw=leg_yaw,
    )


def _heading(rng: np.random.Generator, stride: float) -> Heading:
    """Turn (as a function of phase) so that the path closes to an oval."""
    side = rng.choice([-1, 1])
    per_cycle = stride / rng.uniform(0.95, 1.2)
    flatness = rng.uniform(0, 0.22)

    def heading(phase: np.ndarray) -> np.ndarray:
        turned = per_cycle * phase
        return side * (turned + flatness * np.sin(2 * turned))

    return heading


def _leg_yaw(sides: np.ndarray, heading: Heading) -> np.ndarray:
    """Keep each leg's plane while its foot stands; swing it on to the next step."""
    step = np.floor(sides)
    swing = minimum_jerk((sides - step - PIVOT) / (1 - PIVOT))
    # The phase of the body when this side is at its own mid-stance.
    middle = step + MID_STANCE - np.array([0.0, 0.5])
    now, following = heading(middle), heading(middle + 1)
    return now + (following - now) * swing


def _legs(
    body: Body, sides: np.ndarray, amplitude: float, leg_yaw: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Legs relative to their hips.

    Returns:
        Ankles (T, 2, 3), heels and balls of the feet (T, 2, 2, 3), both in metres, and
        the share of the heel and the ball in carrying the foot (T, 2, 2).
    """
    thigh = amplitude * cycle_curve(THIGH_ANGLE, sides)
    # Knees bend almost as far in a slow walk, or the toes would scrape the floor.
    knee = np.sqrt(amplitude) * cycle_curve(KNEE_FLEXION, sides)
    knee = np.maximum(knee, MIN_KNEE)
    pitch = amplitude * cycle_curve(FOOT_PITCH, sides)
    # The legs lean inwards and, with the whole body, over the leg that stands.
    inwards = np.radians(1.8) + np.radians(1.3) * np.sin(2 * np.pi * (sides - 0.05))
    ankle = np.zeros((*thigh.shape, 3))
    ankle[..., 0] = body.thigh * np.sin(thigh) + body.shin * np.sin(thigh - knee)
    ankle[..., 2] = -body.thigh * np.cos(thigh) - body.shin * np.cos(thigh - knee)
    along = np.stack([np.cos(pitch), np.zeros_like(pitch), np.sin(pitch)], -1)
    down = np.stack([np.sin(pitch), np.zeros_like(pitch), -np.cos(pitch)], -1)
    sole = body.foot[:, None] * along[..., None, :]
    sole = sole + (ankle + body.ankle_height * down)[..., None, :]
    turn = rotation('z', leg_yaw) @ rotation('x', -OUTWARDS * inwards)
    on_heel = 1 / (1 + np.exp(-pitch / np.radians(3)))
    return (
        (turn @ ankle[..., None])[..., 0],
        sole @ np.swapaxes(turn, -1, -2),
        np.stack([on_heel, 1 - on_heel], -1),
    )


def _carried(soles: np.ndarray, share: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Path of the pelvis (T, 3) over the feet that carry it.

    Args:
        soles: (T, 2, 2, 3), heel and ball of each foot relative to the pelvis.
        share: (T, 2, 2), their shares in carrying their foot.
        sides: (T, 2), phase of each leg, cycles.
    """
    phase = sides % 1
    load = minimum_jerk(phase / 0.12) * minimum_jerk((STANCE_END - phase) / 0.12)
    weight = (load / load.sum(1, keepdims=True))[..., None] * share
    weight = (weight[1:] + weight[:-1]) / 2
    step = -(weight[..., None] * np.diff(soles[..., :2], axis=0)).sum((1, 2))
    path = np.zeros((len(soles), 3))
    path[1:, :2] = np.cumsum(step, 0)
    path[:, :2] -= (path[:, :2].max(0) + path[:, :2].min(0)) / 2
    # A soft minimum over the soles: the pelvis changes legs without a jolt.
    height = soles[..., 2].reshape(-1, 4)
    path[:, 2] = SOFTNESS * np.logaddexp.reduce(-height / SOFTNESS, 1)
    return path


def _pelvis_tilt(
    rng: np.random.Generator, phase: np.ndarray, heading: np.ndarray
) -> np.ndarray:
    """Tilt, list and rotation of the pelvis; ``phase`` is the left leg's."""
    lean, list_, turn = np.radians(rng.uniform([0, 2, 3], [5, 5, 7]))
    return np.stack(
        [
            np.full_like(phase, lean),
            # The side that swings drops shortly after the other foot's contact.
            list_ * np.cos(2 * np.pi * (phase - 0.15)),
            heading - turn * np.cos(2 * np.pi * phase),
        ],
        -1,
    )


def _trunk(rng: np.random.Generator, phase: np.ndarray) -> np.ndarray:
    """The shoulders turn against the pelvis and stay level."""
    lean, list_, turn = np.radians(rng.uniform([-2, 2, 5], [6, 5, 12]))
    return np.stack(
        [
            lean + np.radians(1) * np.cos(4 * np.pi * phase),
            -list_ * np.cos(2 * np.pi * (phase - 0.15)),
            turn * np.cos(2 * np.pi * phase),
        ],
        -1,
    )


def _arm_swing(rng: np.random.Generator, phase: np.ndarray) -> np.ndarray:
    """Swing each arm (T, 2, 4) with the leg of the other side (Murray et al., 1967)."""
    swing = np.radians(rng.uniform(8, 26) * rng.uniform(0.85, 1.15, 2))
    elbow = np.radians(rng.uniform(12, 35) + rng.uniform(-4, 4, 2))
    backwards = np.cos(2 * np.pi * (phase[:, None] + np.array([0.0, 0.5])))
    forward = (1 - backwards) / 2
    arms = np.zeros((len(phase), 2, 4))
    arms[..., 0] = np.radians(4) - swing * backwards
    arms[..., 1] = np.radians(rng.uniform(7, 14))
    arms[..., 2] = np.radians(rng.uniform(5, 30))
    arms[..., 3] = elbow + 0.9 * swing * forward
    return arms
