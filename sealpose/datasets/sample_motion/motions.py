"""Motions on planted feet: reaching, sitting, squatting, waving, turning, anything.

Free motion keeps well inside of the joint limits that the American Academy of
Orthopaedic Surgeons gives as norms ("Joint Motion", 1965; tabulated in Norkin and
White, "Measurement of Joint Motion"), in degrees: shoulder flexion 180, extension 60,
abduction 180, internal and external rotation 70 and 90; elbow 150; hip 120, knee 135;
trunk flexion 80, extension 25, side 35, turn 45.
"""

import numpy as np

from sealpose.datasets.sample_motion.anthropometry import Body
from sealpose.datasets.sample_motion.gait import walking
from sealpose.datasets.sample_motion.kinematics import LEFT, OUTWARDS, RIGHT, Script
from sealpose.datasets.sample_motion.timing import (
    FPS,
    bump,
    drift,
    episodes,
    seconds,
    through,
    wander,
)


def standing(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Stand at ease and sway a little; other motions begin with it."""
    ankles = np.zeros((frames, 2, 3))
    ankles[..., 0] = rng.uniform(-0.03, 0.03, 2)
    ankles[..., 1] = OUTWARDS * body.hip_half_width * rng.uniform(1.0, 1.9)
    ankles[..., 2] = body.ankle_height
    pelvis = np.array([0.012, 0.015, 0.004]) * drift(rng, frames, (3,))
    pelvis[:, 0] += ankles[..., 0].mean(1) - 0.01
    pelvis[:, 2] += body.ankle_height + body.leg * rng.uniform(0.99, 0.997)
    rest = np.radians(rng.uniform([-4, 6, 0, 13], [8, 13, 30, 24]))
    lean = np.array([np.radians(rng.uniform(-2, 6)), 0, 0])
    return Script(
        pelvis=pelvis,
        tilt=np.radians([1.5, 1.5, 3]) * drift(rng, frames, (3,)),
        trunk=np.radians([2, 1.5, 3]) * drift(rng, frames, (3,)) + lean,
        head=np.radians([7, 4, 14]) * drift(rng, frames, (3,)),
        arms=np.radians([3, 1.5, 4, 4]) * drift(rng, frames, (2, 4)) + rest,
        ankles=ankles,
        foot_yaw=OUTWARDS * np.radians(rng.uniform(2, 14, 2)) + np.zeros((frames, 1)),
    )


def reaching(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Reach for things around, high and low, with one hand or both."""
    script = standing(body, rng, frames)
    done, episode = episodes(rng, frames, move=(0.7, 1.4))
    count = episode.max() + 1
    lift, plane = np.radians(rng.uniform([[45], [-10]], [[145], [95]], (2, count)))
    twist, elbow = np.radians(rng.uniform([[-15], [5]], [[10], [45]], (2, count)))
    target = np.stack([lift * np.cos(plane), lift * np.sin(plane), twist, elbow], -1)
    hands = rng.choice(3, count, p=[0.4, 0.4, 0.2])  # left, right, both
    for side in (LEFT, RIGHT):
        share = (done * ((hands == side) | (hands == 2))[episode])[:, None]
        rest = script.arms[:, side]
        script.arms[:, side] = rest + share * (target[episode] - rest)
    # Low things make one bend, things at the side make one turn.
    bend = np.radians(np.interp(np.degrees(lift), [45, 110], [55, 0]))
    turn = np.where(hands == 2, 0, np.where(hands == LEFT, 1, -1)) * plane * 0.25
    script.trunk[:, 0] += done * bend[episode] * 0.6
    script.trunk[:, 2] += done * turn[episode]
    script.tilt[:, 0] += done * bend[episode] * 0.5
    script.tilt[:, 2] += done * turn[episode] * 0.4
    script.head[:, 0] += done * np.where(lift < 1.6, 0.2, -0.25)[episode]
    script.pelvis[:, 0] -= done * 0.16 * bend[episode]
    script.pelvis[:, 2] -= (
        done * rng.uniform(0.01, 0.12, count)[episode] * bend[episode]
    )
    return script


def sitting(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Sit down on a chair, stay, stand up, again and again."""
    script = standing(body, rng, frames)
    done, _ = episodes(rng, frames, (0.3, 1.2), (1.1, 1.9), (0.5, 2.0))
    # A chair of usual height; the hips lie some 8 cm above the seat.
    seat = rng.uniform(0.41, 0.47) + 0.08
    script.pelvis[:, 0] -= done * (body.thigh * rng.uniform(0.92, 1.05))
    script.pelvis[:, 2] += done * (seat - script.pelvis[:, 2])
    # The trunk bends forwards on the way, to keep the weight over the feet.
    lean = np.radians(rng.uniform(40, 60)) * 4 * done * (1 - done)
    slouch = np.radians(rng.uniform(-12, 12)) * done
    script.tilt[:, 0] += 0.5 * lean - np.radians(8) * done
    script.trunk[:, 0] += 0.5 * lean + slouch
    script.head[:, 0] -= 0.5 * lean
    # Hands rest on the thighs, or help with the balance on the way.
    forward = np.radians(rng.uniform(15, 32)) * done
    script.arms[..., 0] += forward[:, None] + 0.4 * lean[:, None]
    script.arms[..., 3] += np.radians(rng.uniform(35, 60)) * done[:, None]
    script.arms[..., 2] += np.radians(rng.uniform(-15, 12)) * done[:, None]
    return script


def squatting(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Squat, with the arms forwards or hanging."""
    script = standing(body, rng, frames)
    script.ankles[..., 1] *= 1.35
    script.foot_yaw *= 1.6
    done, episode = episodes(rng, frames, (0.1, 0.6), (0.6, 1.3), (0.0, 0.5))
    depth = rng.uniform(0.25, 0.55, episode.max() + 1)[episode] * done
    lean = np.radians(75) * depth * rng.uniform(0.7, 1.1)
    script.pelvis[:, 2] -= depth * body.leg
    script.pelvis[:, 0] -= depth * body.leg * rng.uniform(0.45, 0.6)
    script.tilt[:, 0] += 0.55 * lean
    script.trunk[:, 0] += 0.45 * lean
    script.head[:, 0] -= 0.6 * lean
    raised = rng.choice([20, 70, 95])
    script.arms[..., 0] += np.radians(raised) * np.sqrt(done)[:, None] * done[:, None]
    script.arms[..., 0] += 0.6 * lean[:, None]
    script.arms[..., 3] += np.radians(rng.uniform(0, 25)) * done[:, None]
    return script


def waving(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Wave with one hand, or with both."""
    script = standing(body, rng, frames)
    done, _ = episodes(rng, frames, (0.2, 0.8), (0.5, 0.9), (1.5, 3.5))
    rate = rng.uniform(0.9, 2.2)
    beat = np.sin(2 * np.pi * rate * seconds(frames) + rng.uniform(0, 6))
    low, high = [55, 45, -95, 60], [110, 95, -70, 110]
    plane_lift = np.radians(rng.uniform(low, high))
    lift, plane, twist, elbow = plane_lift
    raised = np.array([lift * np.cos(plane), lift * np.sin(plane), twist, elbow])
    swing = np.radians(rng.uniform([0, 2, 8, 12], [4, 6, 16, 28]))
    target = raised + swing * beat[:, None]
    hands = [[LEFT], [RIGHT], [LEFT, RIGHT]][rng.choice(3, p=[0.4, 0.4, 0.2])]
    for side in hands:
        rest = script.arms[:, side]
        script.arms[:, side] = rest + done[:, None] * (target - rest)
    if len(hands) == 1:
        script.trunk[:, 1] += np.radians(4) * OUTWARDS[hands[0]] * done
    return script


def turning(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Turn on the spot in small steps, one foot after the other."""
    script = standing(body, rng, frames)
    pairs = int(frames / FPS / 0.8) + 2
    # A few turn back on the way.
    ways = rng.choice([-1, 1]) * np.where(
        np.arange(pairs) < rng.integers(2, 3 * pairs), 1, -1
    )
    turns = ways * np.radians(rng.uniform(22, 48, pairs))
    facing = np.concatenate([[0.0], np.cumsum(turns)])
    spans = rng.uniform(0.4, 0.62, (pairs, 2))
    begins = np.concatenate([[0.0], np.cumsum(spans)[:-1]]).reshape(pairs, 2)
    times = seconds(frames)
    yaw, raised = np.zeros((2, frames, 2))
    for side in (LEFT, RIGHT):
        # The foot on the side of the turn goes first.
        order = ((ways > 0) != (side == LEFT)).astype(int)
        begin = begins[np.arange(pairs), order]
        end = begin + spans[np.arange(pairs), order]
        knots = np.stack([begin, end - 0.01], 1).ravel()
        yaw[:, side] = through(knots, np.repeat(facing, 2)[1:-1], times)
        swing = (times[:, None] - begin) / (end - 0.01 - begin)
        raised[:, side] = bump(swing).sum(1)
    return _step_round(script, rng, yaw, raised)


def _step_round(
    script: Script, rng: np.random.Generator, yaw: np.ndarray, raised: np.ndarray
) -> Script:
    """Carry a standing body round with its feet (yaw and raised: (T, 2))."""
    width = np.abs(script.ankles[:, :, 1])
    facing = yaw.mean(1)
    script.ankles[..., 0] = -OUTWARDS * width * np.sin(yaw)
    script.ankles[..., 1] = OUTWARDS * width * np.cos(yaw)
    script.ankles[..., 2] += rng.uniform(0.03, 0.08) * raised
    script.foot_yaw += yaw
    # The weight moves over the foot that stands.
    aside = 0.35 * width.mean() * (raised[:, RIGHT] - raised[:, LEFT])
    script.pelvis[:, 0] += -aside * np.sin(facing)
    script.pelvis[:, 1] += aside * np.cos(facing)
    script.tilt[:, 2] += facing
    # The head leads, the arms swing out a little.
    pace = np.gradient(facing, 1 / FPS)
    script.head[:, 2] += 0.2 * np.tanh(pace)
    script.arms[..., 1] += np.radians(6) * np.tanh(np.abs(pace))[:, None]
    return script


def free(body: Body, rng: np.random.Generator, frames: int) -> Script:
    """Move everything at will, smoothly and within the limits of the joints."""
    script = standing(body, rng, frames)
    effort = rng.uniform(0.5, 1.0)
    pace = (0.1, rng.uniform(0.35, 0.7))
    low, high = np.radians([-25, 12, -30, 8]), np.radians([135, 95, 30, 125])
    arms = wander(rng, frames, np.tile(low, (2, 1)), np.tile(high, (2, 1)), pace)
    # A forearm turned inwards would enter the trunk unless the arm is in front.
    in_front = np.clip(arms[..., 0] / np.radians(50), 0, 1)
    arms[..., 2] *= np.where(arms[..., 2] > 0, in_front, 1)
    # Full flexion and full abduction at once would lift the arm beyond overhead.
    lift = np.hypot(arms[..., 0], arms[..., 1])[..., None] / np.radians(140)
    arms[..., :2] *= np.tanh(lift) / lift
    script.arms += effort * (arms - script.arms)
    bend = np.radians([[-8, -16, -28], [32, 16, 28]])
    script.trunk += effort * wander(rng, frames, *bend, pace)
    script.tilt += np.radians([5, 5, 14]) * effort * drift(rng, frames, (3,), pace)
    script.head += np.radians([10, 7, 16]) * effort * drift(rng, frames, (3,), pace)
    dip = wander(rng, frames, 0.0, 0.22 * body.leg, pace) * effort
    script.pelvis[:, 2] -= dip
    script.pelvis[:, 0] -= 0.4 * dip
    if rng.uniform() < 0.5:
        _lift_foot(script, rng, rng.choice([LEFT, RIGHT]))
    return script


def _lift_foot(script: Script, rng: np.random.Generator, side: int) -> None:
    """Stand on the other leg now and then, and put this foot somewhere in the air."""
    frames = len(script.pelvis)
    done, episode = episodes(rng, frames, (0.4, 1.0), (0.6, 1.0), (0.2, 1.0))
    low, high = [-0.15, 0.0, 0.06], [0.35, 0.2, 0.3]
    place = rng.uniform(low, high, (episode.max() + 1, 3))
    place[:, 1] *= OUTWARDS[side]
    script.ankles[:, side] += done[:, None] * place[episode]
    standing_foot = script.ankles[:, 1 - side, 1]
    script.pelvis[:, 1] += done * 0.75 * (standing_foot - script.pelvis[:, 1])


MOTIONS = {
    'walking': walking,
    'reaching': reaching,
    'sitting': sitting,
    'turning': turning,
    'squatting': squatting,
    'waving': waving,
    'free': free,
}
