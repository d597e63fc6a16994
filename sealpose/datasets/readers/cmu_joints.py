"""The joints of CMU's motion capture as Human3.6M's 17, in metres, Z up.

CMU's files are Y up. Joint 9, Human3.6M's nose, is the base of the skull here, about
0.1 m behind a nose: CMU has none. The head is at ear height, not at the top.
"""

import numpy as np

from sealpose.datasets.readers.bvh import BvhMotion
from sealpose.datasets.readers.motion import JointTracks
from sealpose.skeletons import H36M17

# The files hold inches times 0.45. An ASF file says so, a BVH file does not.
METRES_PER_UNIT = 0.0254 / 0.45
FPS = 120

# Joint: joint of the BVH conversion, bone of the ASF skeleton that ends there.
# The pelvis is the midpoint of the hips: the root of the files is 0.1 m above them.
JOINTS = {
    'right_hip': ('RightUpLeg', 'rhipjoint'),
    'right_knee': ('RightLeg', 'rfemur'),
    'right_ankle': ('RightFoot', 'rtibia'),
    'left_hip': ('LeftUpLeg', 'lhipjoint'),
    'left_knee': ('LeftLeg', 'lfemur'),
    'left_ankle': ('LeftFoot', 'ltibia'),
    'spine': ('Spine', 'lowerback'),
    'thorax': ('Neck', 'thorax'),
    'nose': ('Head', 'upperneck'),
    'head': ('Head.end', 'head'),
    'left_shoulder': ('LeftArm', 'lclavicle'),
    'left_elbow': ('LeftForeArm', 'lhumerus'),
    'left_wrist': ('LeftHand', 'lwrist'),
    'right_shoulder': ('RightArm', 'rclavicle'),
    'right_elbow': ('RightForeArm', 'rhumerus'),
    'right_wrist': ('RightHand', 'rwrist'),
}
ABOVE_SPINE1 = (
    *('thorax', 'nose', 'head'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('right_shoulder', 'right_elbow', 'right_wrist'),
)
# CMU splits the forearm 2 : 1, and the conversion lost the second part.
FOREARM_STRETCH = 1.5


def h36m17_from_amc(tracks: JointTracks, metres_per_unit: float) -> np.ndarray:
    """Pick the 17 joints out of an AMC motion.

    Args:
        tracks: Ends of the bones of CMU's skeleton.
        metres_per_unit: Scale that the ASF file states.

    Returns:
        (T, 17, 3), metres, world axes.
    """
    joints = {joint: tracks[bone] for joint, (_, bone) in JOINTS.items()}
    return _to_world(joints, metres_per_unit)


def h36m17_from_bvh(motion: BvhMotion, repair: bool = True) -> np.ndarray:
    """Pick the 17 joints out of a file of the cgspeed conversion to BVH.

    The conversion put a T-pose in front of the motion, which is dropped. It also lost
    the length of the two kinds of bones that have several children: the upper part of
    the chest, so that neck, head and arms sit 0.12 m too low, and the last third of the
    forearm.

    Args:
        motion: The file as it is.
        repair: Put the lost lengths back: the forearms exactly, the chest to within
            some millimetres, as its length is taken from the vertebra below.

    Returns:
        (T - 1, 17, 3), metres, world axes.
    """
    if len(motion.positions) < 2:
        raise ValueError(
            f'{motion.path}: expected a T-pose and at least one frame of motion, found '
            f'{len(motion.positions)} frame'
        )
    joints = {joint: motion[name] for joint, (name, _) in JOINTS.items()}
    if repair:
        joints = _restore_lengths(joints, motion)
    return _to_world(joints, METRES_PER_UNIT)[1:]


def _restore_lengths(
    joints: dict[str, np.ndarray], motion: BvhMotion
) -> dict[str, np.ndarray]:
    spine1 = motion.index('Spine1')
    length = np.linalg.norm(motion.offsets[spine1])
    lift = motion.rotations[:, spine1, :, 1] * length
    restored = dict(joints)
    for side in ('left', 'right'):
        elbow, hand = joints[f'{side}_elbow'], joints[f'{side}_wrist']
        restored[f'{side}_wrist'] = elbow + FOREARM_STRETCH * (hand - elbow)
    for joint in ABOVE_SPINE1:
        restored[joint] = restored[joint] + lift
    return restored


def _to_world(joints: dict[str, np.ndarray], metres_per_unit: float) -> np.ndarray:
    """Stack joints in order and turn Y up into Z up: (x, y, z) to (x, -z, y)."""
    pelvis = (joints['right_hip'] + joints['left_hip']) / 2
    joints = {'pelvis': pelvis, **joints}
    x, y, z = np.moveaxis(np.stack([joints[j] for j in H36M17.joint_names], 1), -1, 0)
    return np.stack([x, -z, y], -1) * metres_per_unit
