"""Bodies: segment lengths from published proportions of stature.

Lengths and heights of segments are those of Drillis and Contini, "Body segment
parameters" (1966), as reproduced in Winter, "Biomechanics and Motor Control of Human
Movement", Fig. 4.1. Where a skeleton has joint centres but the figure has outer
breadths (hips, shoulders) or no point at all (base of the neck, nose), the position is
our estimate, marked below. The mean statures are those of adults in the United States
in McDowell et al., "Anthropometric reference data for children and adults: United
States, 2003-2006" (National Health Statistics Reports 10, 2008).
"""

from dataclasses import dataclass

import numpy as np

# Mean and standard deviation, metres; the deviation is rounded.
STATURE = {'female': (1.622, 0.07), 'male': (1.763, 0.075)}

# Fractions of stature.
ANKLE_HEIGHT = 0.039
SHIN = 0.285 - ANKLE_HEIGHT
THIGH = 0.530 - 0.285
UPPER_ARM = 0.186
FOREARM = 0.146
# Estimates: the hip centres lie well inside the breadth of 0.191, the centres of the
# shoulders inside that of 0.259; the neck starts a little above the shoulders (0.818).
HIP_HALF_WIDTH = 0.052
SHOULDER_HALF_WIDTH = 0.103
NECK_BASE_HEIGHT = 0.832
NOSE_HEIGHT = 0.918
NOSE_FORWARD = 0.058
HEEL_BEHIND_ANKLE = 0.035
BALL_BEFORE_ANKLE = 0.080

SEGMENT_SD = 0.025
MAX_DEVIATIONS = 2.0


@dataclass(frozen=True)
class Body:
    """The lengths of one person; both sides are alike.

    All lengths are metres. Offsets are (forward, left, up) in the axes of the segment
    that carries them, for a person who stands upright.

    Args:
        stature: Standing height.
        thigh: Hip to knee.
        shin: Knee to ankle.
        ankle_height: Ankle above the sole.
        hip_half_width: Pelvis to hip.
        trunk: Offsets pelvis to spine and spine to thorax, (2, 3).
        shoulder: Offset thorax to left shoulder, (3,).
        arm: Upper arm and forearm, (2,).
        head: Offsets thorax to nose and nose to top of the head, (2, 3).
        foot: Heel and ball of the foot relative to the ankle, forwards, (2,).
    """

    stature: float
    thigh: float
    shin: float
    ankle_height: float
    hip_half_width: float
    trunk: np.ndarray
    shoulder: np.ndarray
    arm: np.ndarray
    head: np.ndarray
    foot: np.ndarray

    @property
    def leg(self) -> float:
        """Hip to ankle with the knee straight, metres."""
        return self.thigh + self.shin


def draw_body(rng: np.random.Generator) -> Body:
    """Draw a person: stature by sex, and a few per cent of variation per segment."""
    mean, sd = STATURE[rng.choice(sorted(STATURE))]
    stature = mean + sd * _deviation(rng)

    def vary(*fractions: float) -> np.ndarray:
        return stature * np.array(fractions) * (1 + SEGMENT_SD * _deviation(rng))

    half_trunk = (NECK_BASE_HEIGHT - 0.530) / 2
    nose_up = NOSE_HEIGHT - NECK_BASE_HEIGHT
    return Body(
        stature=stature,
        thigh=float(vary(THIGH)[0]),
        shin=float(vary(SHIN)[0]),
        ankle_height=float(vary(ANKLE_HEIGHT)[0]),
        hip_half_width=float(vary(HIP_HALF_WIDTH)[0]),
        # The spine curves: its middle lies behind the line from pelvis to neck.
        trunk=np.stack([vary(-0.012, 0, half_trunk), vary(0.006, 0, half_trunk)]),
        shoulder=vary(0.0, SHOULDER_HALF_WIDTH, 0.818 - NECK_BASE_HEIGHT),
        arm=np.concatenate([vary(UPPER_ARM), vary(FOREARM)]),
        head=np.stack(
            [
                vary(NOSE_FORWARD, 0, nose_up),
                vary(0.012 - NOSE_FORWARD, 0, 1 - NOSE_HEIGHT),
            ]
        ),
        foot=vary(-HEEL_BEHIND_ANKLE, BALL_BEFORE_ANKLE),
    )


def _deviation(rng: np.random.Generator) -> float:
    """Draw a standard normal number without the far tails."""
    return float(np.clip(rng.standard_normal(), -MAX_DEVIATIONS, MAX_DEVIATIONS))
