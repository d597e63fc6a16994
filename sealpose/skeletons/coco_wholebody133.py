"""The 133 joints of COCO-WholeBody, which H3WB has in 3D: body, feet, face, hands."""

from sealpose.skeletons.coco17 import COCO17
from sealpose.skeletons.skeleton import Skeleton, register_skeleton

FEET = {
    f'{side}_{point}': f'{side}_ankle'
    for side in ('left', 'right')
    for point in ('big_toe', 'small_toe', 'heel')
}
FINGERS = ('thumb', 'index', 'middle', 'ring', 'little')


def _face() -> list[str]:
    """Name the 68 landmarks, from the right end of the jaw round to the inner lips."""
    jaw = [f'right_jaw_{i}' for i in range(1, 9)]
    brow = [f'right_brow_{i}' for i in range(1, 6)]
    nostrils = ['right_nostril_outer', 'right_nostril_inner']
    eye = ['outer', 'upper_outer', 'upper_inner', 'inner', 'lower_inner', 'lower_outer']
    # The left eye starts at its inner corner and goes round the other way.
    left_eye = [eye[i] for i in (3, 2, 1, 0, 5, 4)]
    upper_lip = ['right_lip_corner', 'right_upper_lip_outer', 'right_upper_lip_inner']
    lower_lip = ['right_lower_lip_outer', 'right_lower_lip_inner']
    inner = ['right_mouth_corner', 'right_upper_mouth']
    return [
        *jaw, 'chin', *_left(jaw[::-1]),
        *brow, *_left(brow[::-1]),
        *(f'nose_bridge_{i}' for i in range(1, 5)),
        *nostrils, 'nose_bottom', *_left(nostrils[::-1]),
        *(f'right_eyelid_{point}' for point in eye),
        *(f'left_eyelid_{point}' for point in left_eye),
        *upper_lip, 'upper_lip', *_left(upper_lip[::-1]),
        *_left(lower_lip), 'lower_lip', *lower_lip[::-1],
        *inner, 'upper_mouth', *_left(inner[::-1]),
        'left_lower_mouth', 'lower_mouth', 'right_lower_mouth',
    ]  # fmt: skip


def _left(names: list[str]) -> list[str]:
    return [name.replace('right_', 'left_') for name in names]


def _hand(side: str) -> dict[str, str]:
    """Return the joints of a hand: its root, then five chains of four."""
    root = f'{side}_hand_root'
    joints = {root: f'{side}_wrist'}
    for finger in FINGERS:
        names = [f'{side}_{finger}_{i}' for i in range(1, 5)]
        joints |= dict(zip(names, [root, *names[:-1]], strict=True))
    return joints


FACE = dict.fromkeys(_face(), 'nose')
LEFT_HAND, RIGHT_HAND = _hand('left'), _hand('right')

COCO_WHOLEBODY133 = register_skeleton(
    Skeleton(
        'coco_wholebody133',
        joints={**COCO17.joints, **FEET, **FACE, **LEFT_HAND, **RIGHT_HAND},
        limbs=COCO17.limbs,
        origin=('left_hip', 'right_hip'),
        joint_sets={
            # The official parts: the body has the feet with it.
            'body': (*COCO17.joints, *FEET),
            'feet': tuple(FEET),
            'face': tuple(FACE),
            'hands': (*LEFT_HAND, *RIGHT_HAND),
            'left_hand': tuple(LEFT_HAND),
            'right_hand': tuple(RIGHT_HAND),
        },
    )
)
