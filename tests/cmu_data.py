"""Where the CMU files are, and small made-up ones in the same formats.

The made-up person stands in a T-pose, root at the given place, in units of the files.
BVH and AMC describe the same person, the BVH with the defect of its conversion: chest
(2 units) and last third of the forearm (1.5 units) have no length there.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

UNIT = 0.0254 / 0.45
# Pelvis at 0.9 m, the height that the cameras look at: the hips are 2 below the root.
STANDING = (0.0, 0.9 / UNIT + 2, 0.0)
Angles = Mapping[str, Sequence[float]]


def find_cmu_root() -> Path:
    """Return the folder of the real data, or skip the test."""
    beside = Path(__file__).parents[2] / 'shared/data/cmu_mocap'
    root = Path(os.environ.get('SEALPOSE_CMU_ROOT', beside))
    if not (root / 'clips.json').is_file():
        pytest.skip(f'no CMU motion capture at {root}; set SEALPOSE_CMU_ROOT to it')
    return root


@pytest.fixture(scope='session')
def cmu_root() -> Path:
    return find_cmu_root()


# joint: parent, offset; in the order of the channels
BVH = {'Hips': (None, (0, 0, 0))}
# bone: parent, direction times length, degrees of freedom
ASF: dict[str, tuple[str, tuple[float, float, float], str]] = {}
for side, s in (('L', 1), ('R', -1)):
    long = {'L': 'Left', 'R': 'Right'}[side]
    BVH |= {
        f'{side}HipJoint': ('Hips', (0, 0, 0)),
        f'{long}UpLeg': (f'{side}HipJoint', (2 * s, -2, 0)),
        f'{long}Leg': (f'{long}UpLeg', (0, -7, 0)),
        f'{long}Foot': (f'{long}Leg', (0, -7, 0)),
    }
    low = side.lower()
    ASF |= {
        f'{low}hipjoint': ('root', (2 * s, -2, 0), ''),
        f'{low}femur': (f'{low}hipjoint', (0, -7, 0), 'rx ry rz'),
        f'{low}tibia': (f'{low}femur', (0, -7, 0), 'rx'),
    }
BVH |= {
    'LowerBack': ('Hips', (0, 0, 0)),
    'Spine': ('LowerBack', (0, 2, 0)),
    'Spine1': ('Spine', (0, 2, 0)),
    'Neck': ('Spine1', (0, 0, 0)),
    'Neck1': ('Neck', (0, 1.5, 0)),
    'Head': ('Neck1', (0, 1.5, 0)),
}
ASF |= {
    'lowerback': ('root', (0, 2, 0), 'rx ry rz'),
    'upperback': ('lowerback', (0, 2, 0), 'rx ry rz'),
    'thorax': ('upperback', (0, 2, 0), 'rx ry rz'),
    'lowerneck': ('thorax', (0, 1.5, 0), 'rx ry rz'),
    'upperneck': ('lowerneck', (0, 1.5, 0), 'rx ry rz'),
    'head': ('upperneck', (0, 2, 0), 'rx ry rz'),
}
for side, s in (('L', 1), ('R', -1)):
    long = {'L': 'Left', 'R': 'Right'}[side]
    BVH |= {
        f'{long}Shoulder': ('Spine1', (0, 0, 0)),
        f'{long}Arm': (f'{long}Shoulder', (3 * s, 1, 0)),
        f'{long}ForeArm': (f'{long}Arm', (5 * s, 0, 0)),
        f'{long}Hand': (f'{long}ForeArm', (3 * s, 0, 0)),
    }
    low = side.lower()
    ASF |= {
        f'{low}clavicle': ('thorax', (3 * s, 1, 0), 'ry rz'),
        f'{low}humerus': (f'{low}clavicle', (5 * s, 0, 0), 'rx ry rz'),
        f'{low}radius': (f'{low}humerus', (3 * s, 0, 0), 'rx'),
        f'{low}wrist': (f'{low}radius', (1.5 * s, 0, 0), 'ry'),
    }

# The 17 joints of the person whose root is at 0, in file units and axes.
T_POSE = (
    (0, -2, 0),
    *((-2, -2, 0), (-2, -9, 0), (-2, -16, 0)),
    *((2, -2, 0), (2, -9, 0), (2, -16, 0)),
    *((0, 2, 0), (0, 6, 0), (0, 9, 0), (0, 11, 0)),
    *((3, 7, 0), (8, 7, 0), (12.5, 7, 0)),
    *((-3, 7, 0), (-8, 7, 0), (-12.5, 7, 0)),
)


def write_bvh(
    path: Path,
    roots: Sequence[Sequence[float]],
    turns: Angles | None = None,
    end: str = '\n',
) -> Path:
    """Write a BVH file of the cgspeed conversion.

    ``roots`` places the root in each frame after the T-pose, and ``turns`` gives (Z, Y,
    X) degrees of some joints in all of these.
    """
    turns = turns or {}
    rows = [' '.join(['1', '2', '3', *['0'] * 3 * len(BVH)])]
    for root in roots:
        angles = [a for joint in BVH for a in turns.get(joint, (0, 0, 0))]
        rows.append(' '.join(f'{value:.9g}' for value in (*root, *angles)))
    lines = [
        *('HIERARCHY', *_bvh_joint('Hips')),
        *('MOTION', f'Frames: {len(rows)}', 'Frame Time: .0083333', *rows),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode())
    return path


def _bvh_joint(name: str) -> list[str]:
    parent, offset = BVH[name]
    rotations = 'Zrotation Yrotation Xrotation'
    channels = f'3 {rotations}'
    if parent is None:
        channels = f'6 Xposition Yposition Zposition {rotations}'
    children = [child for child, (above, _) in BVH.items() if above == name]
    lines = [
        f'{"JOINT" if parent else "ROOT"} {name}',
        '{',
        'OFFSET {} {} {}'.format(*offset),
        f'CHANNELS {channels} ',
        *(line for child in children for line in _bvh_joint(child)),
    ]
    if not children:
        lines += ['End Site', '{', 'OFFSET 0 2 0', '}']
    return [*lines, '}']


def write_asf(path: Path) -> Path:
    """Write the skeleton as an ASF file."""
    lines = [
        '# made up',
        ':version 1.10',
        ':units',
        '  mass 1.0',
        '  length 0.45',
        '  angle deg',
        ':documentation',
        '  free text',
        ':root',
        '  order TX TY TZ RX RY RZ',
        '  axis XYZ',
        '  position 0 0 0  ',
        '  orientation 0 0 0 ',
        ':bonedata',
    ]
    for number, (name, (_, vector, dof)) in enumerate(ASF.items(), 1):
        length = sum(v * v for v in vector) ** 0.5
        direction = ' '.join(f'{v / length:.17g}' for v in vector)
        lines += ['begin', f'id {number}', f'name {name}', f'direction {direction}']
        lines += [f'length {length:.17g}', 'axis 0 0 0  XYZ']
        if dof:
            lines += [f'dof {dof}', 'limits (-160.0 20.0)', '       (-70.0 70.0)']
        lines.append('end')
    lines += [':hierarchy', 'begin']
    lines += [f'{parent} {name}' for name, (parent, _, _) in ASF.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([*lines, 'end', '']))
    return path


def write_amc(
    path: Path, roots: Sequence[Sequence[float]], turns: Angles | None = None
) -> Path:
    """Write a motion as an AMC file; ``turns`` gives a bone's angles in all frames."""
    turns = turns or {}
    lines = ['#!OML:ASF made up', ':FULLY-SPECIFIED', ':DEGREES']
    for frame, root in enumerate(roots, 1):
        lines += [str(frame), 'root {:.9g} {:.9g} {:.9g} 0 0 0'.format(*root)]
        for name, (_, _, dof) in ASF.items():
            if dof:
                angles = turns.get(name, [0] * len(dof.split()))
                lines.append(f'{name} {" ".join(map(str, angles))}')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([*lines, '']))
    return path
