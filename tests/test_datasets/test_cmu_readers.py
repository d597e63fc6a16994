import numpy as np
import pytest

from sealpose.datasets.readers import (
    h36m17_from_amc,
    h36m17_from_bvh,
    read_amc,
    read_asf,
    read_bvh,
)
from sealpose.datasets.readers.cmu_tree import find_clips
from sealpose.datasets.readers.motion import resample
from sealpose.skeletons import H36M17
from tests.cmu_data import T_POSE, UNIT, write_amc, write_asf, write_bvh

BVH_TEXT = """HIERARCHY
ROOT Base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Arm
  {
    OFFSET 0 2 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 0 0 1
    }
  }
}
MOTION
Frames: 2
Frame Time: .0083333
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 0 0 90
"""

ASF_TEXT = """# comment
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name stem
    direction 0 1 0
    length 3
    axis 0 0 0 XYZ
  end
  begin
    id 2
    name twig
    direction 0 0 1
    length 2
    axis 0 0 0 XYZ
    dof rx rz
    limits (-10 10)
           (-10 10)
  end
  begin
    id 3
    name turned
    direction 0 0 1
    length 4
    axis 0 0 90 XYZ
    dof rx
  end
:hierarchy
  begin
    root stem
    stem twig turned
  end
"""

AMC_TEXT = """#!OML:ASF somewhere
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
turned 90
twig 0 -1.31695e-015
2
root 1 2 3 0 0 90
turned 0
twig 90 90
"""


def write(path, text):
    path.write_bytes(text.encode('latin-1'))
    return path


@pytest.fixture
def skeleton(tmp_path):
    return read_asf(write(tmp_path / 'small.asf', ASF_TEXT))


@pytest.mark.parametrize('line_end', ['\n', '\r\n', ' \n'])
def test_bvh_positions(tmp_path, line_end):
    path = write(tmp_path / 'a.bvh', BVH_TEXT.replace('\n', line_end))

    motion = read_bvh(path)

    assert motion.names == ('Base', 'Arm', 'Arm.end')
    assert motion.fps == pytest.approx(120, abs=1e-3)
    assert motion['Base'].tolist() == [[1, 2, 3], [1, 2, 3]]
    # Rz(90) takes y to -x; below it Rx(90) takes z to -y, which Rz(90) takes to x.
    np.testing.assert_allclose(motion['Arm'], [[1, 4, 3], [-1, 2, 3]], atol=1e-12)
    np.testing.assert_allclose(motion['Arm.end'], [[1, 4, 4], [0, 2, 3]], atol=1e-12)


def test_bvh_rotates_in_the_order_of_its_channels(tmp_path):
    text = BVH_TEXT.replace(
        'CHANNELS 3 Zrotation Yrotation Xrotation',
        'CHANNELS 3 Xrotation Yrotation Zrotation',
    ).replace('1 2 3 90 0 0 0 0 90', '0 0 0 0 0 0 90 90 0')

    motion = read_bvh(write(tmp_path / 'a.bvh', text))

    # Ry(90) takes z to x, which Rx(90) leaves; the other order would give -y.
    np.testing.assert_allclose(motion['Arm.end'][1], [1, 2, 0], atol=1e-12)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('Frames: 2', 'Frames: 3', 'line 20: expected 3 rows .* found 2'),
        ('Frames: 2', 'Frames: 1', 'expected 1 rows .* found 2'),
        ('0 0 0 0 90\n', '0 0 0\n', 'line 20: expected 9 values, found 7'),
        ('90 0 0 0 0 90', '90 0 0 0 0 nan', "line 20: expected finite .* 'nan'"),
        ('90 0 0 0 0 90', '90 0 0 0 0 9x', "line 20: expected finite .* '9x'"),
        ('Frames: 2', 'Frames: two', 'line 17: expected "Frames:" and a positive'),
        ('.0083333', '0', 'line 18: expected "Frame Time:" and a positive'),
        ('MOTION', 'MOTIONS', 'expected a section MOTION'),
        ('3 Zrotation Y', '3 Yrotation Y', 'line 9: expected the channels'),
        ('CHANNELS 3', 'CHANNELS 6', "line 9: expected 3, found '6'"),
        ('OFFSET 0 2 0', 'OFFSET 0 2', "line 9: expected a number, found 'CHANNELS'"),
        ('OFFSET 0 2 0', 'OFFSET 0 inf 0', 'line 8: expected a finite number'),
        ('}\n}\nMOTION', '}\nMOTION', "expected JOINT, End Site or }, found 'MOTION'"),
        ('JOINT Arm', 'JOINT Base', 'line 6: expected a new joint name'),
        ('HIERARCHY', '\xff\x00', 'line 1: expected HIERARCHY'),
    ],
)
def test_faulty_bvh(tmp_path, old, new, message):
    assert old in BVH_TEXT
    path = write(tmp_path / 'broken.bvh', BVH_TEXT.replace(old, new))

    with pytest.raises(ValueError, match=rf'broken\.bvh, .*{message}'):
        read_bvh(path)


@pytest.mark.parametrize('share', [0, 0.1, 0.3, 0.5, 0.8, 0.97])
def test_bvh_cut_anywhere_is_refused(tmp_path, share):
    path = write(tmp_path / 'cut.bvh', BVH_TEXT[: int(share * len(BVH_TEXT))])

    with pytest.raises(ValueError, match=r'cut\.bvh, line \d+: expected'):
        read_bvh(path)


@pytest.mark.parametrize('line_end', ['\n', '\r\n'])
def test_amc_positions(tmp_path, line_end):
    asf = write(tmp_path / 'b.asf', ASF_TEXT.replace('\n', line_end))
    amc = write(tmp_path / 'b.amc', AMC_TEXT.replace('\n', line_end))
    skeleton = read_asf(asf)

    tracks = read_amc(amc, skeleton)

    assert skeleton.metres_per_unit == pytest.approx(0.0564444, abs=1e-7)
    assert tracks['root'].tolist() == [[1, 2, 3], [1, 2, 3]]
    np.testing.assert_allclose(tracks['stem'], [[1, 5, 3], [-2, 2, 3]], atol=1e-12)
    # Frame 2: z goes to -y by Rx(90), to x by Rz(90), to y by the root's Rz(90).
    np.testing.assert_allclose(tracks['twig'], [[1, 5, 5], [-2, 4, 3]], atol=1e-12)
    # Its own x is the world's y, and turning about y by 90 degrees takes z to x.
    np.testing.assert_allclose(tracks['turned'], [[5, 5, 3], [-2, 2, 7]], atol=1e-12)


def test_amc_comments_between_frames(tmp_path, skeleton):
    plain = read_amc(write(tmp_path / 'c.amc', AMC_TEXT), skeleton)
    text = AMC_TEXT.replace('2\nroot', '# 7 of 9\n2\nroot')

    commented = read_amc(write(tmp_path / 'd.amc', text), skeleton)

    assert np.array_equal(plain.positions, commented.positions)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('twig 90 90\n', 'twig 90\n', r"line 11: expected value 2 of 2 .*'twig' in fr"),
        ('twig 90 90\n', '', "expected bone 'twig' in frame 2, found the end of the f"),
        ('turned 0\n', '', "line 10: expected bone 'turned' in frame 2, found 'twig'"),
        ('turned 90\n', '', "line 7: expected bone 'turned' in frame 1, found '2'"),
        ('turned 90\n', 'turned 9 8\n', "line 6: expected bone 'twig' .*, found '8'"),
        ('2\nroot', '3\nroot', "line 8: expected frame number 2, found '3'"),
        ('1\nroot', '5\nroot', "line 4: expected frame number 1, found '5'"),
        ('turned 0', 'turned nan', 'line 10: expected value 1 of 1 .*turned'),
        ('turned 0', 'turned 1e', "line 10: .*'turned' in frame 2, found '1e'"),
        ('turned 90\n', 'other 90\n', "line 6: expected bone .*, found 'other'"),
        (':DEGREES', ':RADIANS', "line 3: expected :FULLY-.*, found ':RADIANS'"),
    ],
)
def test_faulty_amc(tmp_path, skeleton, old, new, message):
    assert old in AMC_TEXT
    path = write(tmp_path / 'broken.amc', AMC_TEXT.replace(old, new, 1))

    with pytest.raises(ValueError, match=rf'broken\.amc, .*{message}'):
        read_amc(path, skeleton)


@pytest.mark.parametrize('text', ['', '#!OML\n:FULLY-SPECIFIED\n:DEGREES\n', '1\n'])
def test_amc_without_a_frame(tmp_path, skeleton, text):
    path = write(tmp_path / 'empty.amc', text)

    with pytest.raises(ValueError, match=r'empty\.amc, line \d+: expected'):
        read_amc(path, skeleton)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        (':hierarchy', ':hierarchies', 'expected a section :hierarchy'),
        ('length 0.45', 'length 0', 'line 4: expected length with a positive number'),
        ('angle deg', 'angle rad', 'line 5: expected angle with deg'),
        ('order TX TY', 'order TY TX', 'line 7: expected order with TX TY TZ'),
        ('axis XYZ', 'axis ZYX', 'line 8: expected axis with XYZ'),
        ('position 0 0', 'position 0 1', 'line 9: expected position with three zeros'),
        (
            'direction 0 1 0',
            'direction 0 1',
            'line 15: .*direction with finite numbers',
        ),
        ('length 3\n', 'length x\n', 'line 16: expected length with finite numbers'),
        ('    length 3\n', '', "line 13: expected an entry 'length'"),
        ('dof rx rz', 'dof rx tz', 'line 25: expected dof with some of rx ry rz'),
        (
            '0 0 90 XYZ',
            '0 0 90 XYY',
            'line 34: expected axis with three angles and XYZ',
        ),
        ('name turned', 'name twig', 'line 31: expected name with a new bone name'),
        ('stem twig turned', 'stem twig', r"every bone to hang on the root.*'turned'"),
        ('stem twig turned', 'stem twig leaf', "line 40: .*:bonedata, found 'leaf'"),
        ('root stem', 'twig stem', 'expected every bone to hang on the root'),
        ('stem twig turned', 'stem turned turned', 'line 40: .* without a parent yet'),
        ('  end\n:hierarchy', ':hierarchy', 'expected end of a block of :bonedata'),
    ],
)
def test_faulty_asf(tmp_path, old, new, message):
    assert old in ASF_TEXT
    path = write(tmp_path / 'broken.asf', ASF_TEXT.replace(old, new, 1))

    with pytest.raises(ValueError, match=rf'broken\.asf.*{message}'):
        read_asf(path)


def expected_pose(root):
    x, y, z = (np.array(T_POSE) + root).T * UNIT
    return np.stack([x, -z, y], -1)


def test_both_formats_give_the_same_person(tmp_path):
    roots = [(0, 18, 0), (1, 17, 5)]
    skeleton = read_asf(write_asf(tmp_path / '77.asf'))
    tracks = read_amc(write_amc(tmp_path / '77_01.amc', roots), skeleton)
    motion = read_bvh(write_bvh(tmp_path / '77_01.bvh', roots))

    amc = h36m17_from_amc(tracks, skeleton.metres_per_unit)
    bvh = h36m17_from_bvh(motion)

    # The inserted T-pose, which stands elsewhere, is gone.
    expected = [expected_pose(root) for root in roots]
    np.testing.assert_allclose(amc, expected, atol=1e-9)
    np.testing.assert_allclose(bvh, expected, atol=1e-9)


def test_repair_of_the_bvh_conversion(tmp_path):
    turns = {'Spine1': (90, 0, 0)}
    motion = read_bvh(write_bvh(tmp_path / 'a.bvh', [(0, 18, 0)], turns))

    (repaired,) = h36m17_from_bvh(motion) / UNIT
    (left,) = h36m17_from_bvh(motion, repair=False) / UNIT

    # The chest leans to -x, and the left arm, which was along x, points upwards.
    thorax, elbow, wrist = (
        H36M17.index(name) for name in ('thorax', 'left_elbow', 'left_wrist')
    )
    np.testing.assert_allclose(left[thorax], [0, 0, 22], atol=1e-9)
    np.testing.assert_allclose(repaired[thorax], [-2, 0, 22], atol=1e-9)
    np.testing.assert_allclose(left[wrist] - left[elbow], [0, 0, 3], atol=1e-9)
    np.testing.assert_allclose(
        repaired[wrist] - repaired[elbow], [0, 0, 4.5], atol=1e-9
    )
    below = [H36M17.index(name) for name in ('pelvis', 'right_ankle', 'spine')]
    assert np.array_equal(repaired[below], left[below])


def test_bvh_with_nothing_but_the_t_pose(tmp_path):
    motion = read_bvh(write_bvh(tmp_path / 'still.bvh', []))

    with pytest.raises(ValueError, match=r'still\.bvh: expected a T-pose and at least'):
        h36m17_from_bvh(motion)


def test_bvh_of_another_skeleton(tmp_path):
    motion = read_bvh(write(tmp_path / 'other.bvh', BVH_TEXT))

    with pytest.raises(ValueError, match=r"other\.bvh: expected a joint 'RightUpLeg'"):
        h36m17_from_bvh(motion)


def test_resample_keeps_uniform_motion():
    frames = np.arange(13.0)[:, None, None] * [[1.0, -2.0, 0.5]]

    resampled = resample(frames, 120, 50)

    # 12 intervals of 1/120 s are 5 intervals of 1/50 s.
    assert resampled.shape == (6, 1, 3)
    np.testing.assert_allclose(resampled[:, 0, 0], [0, 2.4, 4.8, 7.2, 9.6, 12])
    assert np.array_equal(resample(frames, 120, 120), frames)
    assert len(resample(frames[:12], 120, 50)) == 5


CROSSCHECKED = {'02_01': 0.6, '05_13': 2.5, '49_07': 5.0}


@pytest.mark.parametrize(('clip', 'upper_mm'), CROSSCHECKED.items())
def test_real_bvh_agrees_with_amc(cmu_root, clip, upper_mm):
    subject = clip.split('_')[0]
    skeleton = read_asf(cmu_root / subject / f'{subject}.asf')
    tracks = read_amc(cmu_root / subject / f'{clip}.amc', skeleton)
    amc = h36m17_from_amc(tracks, skeleton.metres_per_unit)

    motion = read_bvh(cmu_root / 'crosscheck_bvh' / f'{clip}.bvh')
    bvh = h36m17_from_bvh(motion)

    assert amc.shape == bvh.shape
    assert np.abs(amc - bvh)[:, :8].max() < 5e-6
    assert np.linalg.norm(amc - bvh, axis=-1).max() < 1e-3 * upper_mm
    for wrist, elbow in ((13, 12), (16, 15)):
        forearms = [pose[:, wrist] - pose[:, elbow] for pose in (amc, bvh)]
        np.testing.assert_allclose(*forearms, atol=5e-6)
    unrepaired = h36m17_from_bvh(motion, repair=False)
    assert np.linalg.norm(amc - unrepaired, axis=-1)[:, 8].min() > 0.1


# Thigh, shin, upper arm, forearm, right and left, metres, as the data's tables say;
# the forearm of a BVH file is two thirds of what the repair makes of it.
LENGTHS = {
    '02': (0.428, 0.429, 0.407, 0.411, 0.284, 0.275, 0.285, 0.284),
    '131': (0.407, 0.411, 0.394, 0.391, 0.252, 0.240, 0.292, 0.277),
    '06': (0.413, 0.401, 0.458, 0.460, 0.305, 0.286, 0.2655, 0.2985),
    '35': (0.430, 0.418, 0.451, 0.447, 0.303, 0.286, 0.303, 0.3045),
}
LIMBS = ((1, 2), (4, 5), (2, 3), (5, 6), (14, 15), (11, 12), (15, 16), (12, 13))


@pytest.mark.parametrize('subject', LENGTHS)
def test_real_subject(cmu_root, subject):
    pose, fps = find_clips(cmu_root)[subject][0].read()

    first, second = np.array(LIMBS).T
    lengths = np.linalg.norm(pose[:, first] - pose[:, second], axis=-1)
    assert fps == 120
    assert np.ptp(lengths, axis=0).max() < 1e-12
    np.testing.assert_allclose(lengths[0], LENGTHS[subject], atol=8e-4)
    # All of these clips walk straight: the right hip is on the right of the way.
    way = pose[-1, 0, :2] - pose[0, 0, :2]
    to_the_right = np.array([way[1], -way[0]]) / np.linalg.norm(way)
    assert ((pose[:, 1] - pose[:, 4])[:, :2] @ to_the_right).mean() > 0.08
    ankles = pose[:, [3, 6], 2].min(1)
    assert 0.03 < np.median(ankles) < 0.15
    assert 1.4 < np.median(pose[:, 10, 2]) < 1.75
