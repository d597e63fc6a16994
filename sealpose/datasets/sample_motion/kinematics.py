"""From what a motion prescribes to the positions of the joints.

Body axes are x forward, y left, z up. Sides are ordered left, right. Angles are
radians, and positive where anatomy says so: trunk and head (forward flexion, lean to
the right, turn to the left); arms (flexion, abduction, internal rotation, elbow
flexion).
"""

from dataclasses import dataclass

import numpy as np

from sealpose.datasets.sample_motion.anthropometry import Body
from sealpose.skeletons import H36M17

LEFT, RIGHT = 0, 1
SIDES = ('left', 'right')
OUTWARDS = np.array([1.0, -1.0])  # of the y axis, by side
# A knee never straightens beyond about 4 degrees of flexion.
MAX_REACH = 0.9994
SOFTNESS = 0.003  # metres
MIN_ELBOW = np.radians(3)


@dataclass
class Script:
    """What a motion prescribes in each of its T frames.

    Args:
        pelvis: (T, 3), metres; lowered where the feet would be out of reach.
        tilt: (T, 3), flexion, lean and turn of the pelvis, radians.
        trunk: (T, 3), the same of the thorax relative to the pelvis.
        head: (T, 3), the same of the head relative to the thorax.
        arms: (T, 2, 4), flexion, abduction, internal rotation and elbow flexion.
            Flexion and abduction are the components of one rotation, so that their
            hypotenuse is how far the upper arm is lifted.
        ankles: (T, 2, 3), metres.
        foot_yaw: (T, 2), where knee and toes point, radians.
    """

    pelvis: np.ndarray
    tilt: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    arms: np.ndarray
    ankles: np.ndarray
    foot_yaw: np.ndarray


def rotation(axis: str, angle: np.ndarray) -> np.ndarray:
    """Rotate about a coordinate axis.

    Args:
        axis: x, y or z.
        angle: (...), radians.

    Returns:
        (..., 3, 3).
    """
    i = 'xyz'.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.zeros((*np.shape(angle), 3, 3))
    matrix[..., i, i] = 1
    matrix[..., j, j] = matrix[..., k, k] = np.cos(angle)
    matrix[..., k, j] = np.sin(angle)
    matrix[..., j, k] = -matrix[..., k, j]
    return matrix


def trunk_rotation(angles: np.ndarray) -> np.ndarray:
    """Turn (flexion, lean, turn) (..., 3) into rotations (..., 3, 3)."""
    flexion, lean, turn = np.moveaxis(angles, -1, 0)
    return rotation('z', turn) @ rotation('y', flexion) @ rotation('x', lean)


def solve(body: Body, script: Script) -> np.ndarray:
    """Place the joints of the h36m17 skeleton.

    Args:
        body: Who moves.
        script: What happens in T frames.

    Returns:
        (T, 17, 3), metres.
    """
    pelvis_axes = trunk_rotation(script.tilt)
    hip_offsets = body.hip_half_width * OUTWARDS[:, None] * pelvis_axes[:, None, :, 1]
    pelvis = _within_reach(body, script, hip_offsets)
    hips = pelvis[:, None] + hip_offsets
    joints = {'pelvis': pelvis}
    joints |= _trunk(body, script, pelvis, pelvis_axes)
    joints |= _sided('hip', hips)
    joints |= _sided('knee', _knees(body, hips, script))
    joints |= _sided('ankle', script.ankles)
    return np.stack([joints[name] for name in H36M17.joint_names], 1)


def _within_reach(body: Body, script: Script, hip_offsets: np.ndarray) -> np.ndarray:
    """Lower the pelvis (T, 3) until both feet can stay where they are."""
    span = script.ankles - hip_offsets - script.pelvis[:, None]
    horizontal = np.square(span[..., :2]).sum(-1)
    reach = np.sqrt(np.maximum((MAX_REACH * body.leg) ** 2 - horizontal, 0))
    highest = (script.ankles - hip_offsets)[..., 2] + reach
    pelvis = script.pelvis.copy()
    highest = np.concatenate([pelvis[:, 2:], highest], 1)
    # A soft minimum: where it were a sharp one, the knee would jerk.
    pelvis[:, 2] = -SOFTNESS * np.logaddexp.reduce(-highest / SOFTNESS, 1)
    return pelvis


def _knees(body: Body, hips: np.ndarray, script: Script) -> np.ndarray:
    """Bend both knees (T, 2, 3) forwards, in the direction of the foot."""
    span = script.ankles - hips
    distance = np.linalg.norm(span, axis=-1, keepdims=True)
    along = span / distance
    yaw = script.foot_yaw
    forward = np.stack([np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)], -1)
    outward = forward - (forward * along).sum(-1, keepdims=True) * along
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    # The foot of the knee's perpendicular on the line from hip to ankle.
    base = (body.thigh**2 - body.shin**2 + distance**2) / (2 * distance)
    height = np.sqrt(np.maximum(body.thigh**2 - base**2, 0))
    return hips + along * base + outward * height


def _trunk(
    body: Body, script: Script, pelvis: np.ndarray, pelvis_axes: np.ndarray
) -> dict[str, np.ndarray]:
    # The trunk bends at the pelvis and at its middle, half of the angle at each.
    half = trunk_rotation(script.trunk / 2)
    lumbar = pelvis_axes @ half
    thoracic = lumbar @ half
    spine = pelvis + lumbar @ body.trunk[0]
    thorax = spine + thoracic @ body.trunk[1]
    head_axes = thoracic @ trunk_rotation(script.head)
    nose = thorax + head_axes @ body.head[0]
    joints = {'spine': spine, 'thorax': thorax, 'nose': nose}
    joints['head'] = nose + head_axes @ body.head[1]
    return joints | _arms(body, script.arms, thorax, thoracic)


def _arms(
    body: Body, arms: np.ndarray, thorax: np.ndarray, thoracic: np.ndarray
) -> dict[str, np.ndarray]:
    flexion, abduction, internal, elbow = np.moveaxis(arms, -1, 0)
    elbow = np.maximum(elbow, MIN_ELBOW)
    lift = np.hypot(flexion, abduction)
    plane = np.arctan2(OUTWARDS * abduction, flexion)
    # Lifting in a vertical plane adds no twist, so the elbow bends forwards at rest.
    swing = rotation('z', plane) @ rotation('y', -lift) @ rotation('z', -plane)
    upper = thoracic[:, None] @ swing @ rotation('z', -OUTWARDS * internal)
    lower = upper @ rotation('y', -elbow)
    beside = body.shoulder * np.array([[1, 1, 1], [1, -1, 1]])
    shoulders = thorax[:, None] + (thoracic[:, None] @ beside[..., None])[..., 0]
    elbows = shoulders - body.arm[0] * upper[..., 2]
    wrists = elbows - body.arm[1] * lower[..., 2]
    joints = _sided('shoulder', shoulders) | _sided('elbow', elbows)
    return joints | _sided('wrist', wrists)


def _sided(joint: str, positions: np.ndarray) -> dict[str, np.ndarray]:
    return {f'{side}_{joint}': positions[:, i] for i, side in enumerate(SIDES)}
