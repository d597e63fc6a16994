import numpy as np
import pytest

from sealpose.skeletons import H36M17, Skeleton, get_skeleton


def test_h36m17_is_the_published_order():
    assert H36M17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert H36M17.left_joints == (4, 5, 6, 11, 12, 13)
    assert H36M17.right_joints == (1, 2, 3, 14, 15, 16)
    assert H36M17.root == 0


def test_h36m17_symmetric_segments_are_the_six_pairs():
    names = H36M17.joint_names
    pairs = [
        tuple(names[H36M17.segments[i][1]] for i in pair)
        for pair in H36M17.symmetric_segments
    ]
    parts = ('hip', 'knee', 'ankle', 'shoulder', 'elbow', 'wrist')
    assert pairs == [(f'left_{part}', f'right_{part}') for part in parts]


def test_h36m17_limbs_are_two_segments_each():
    children = {
        limb: [H36M17.joint_names[H36M17.segments[i][1]] for i in segments]
        for limb, segments in H36M17.limb_segments.items()
    }
    assert children['left_arm'] == ['left_elbow', 'left_wrist']
    assert children['right_leg'] == ['right_knee', 'right_ankle']
    assert len(children) == 4


def test_hop_distances():
    hops = H36M17.hop_distances
    wrist, other = H36M17.index('left_wrist'), H36M17.index('right_wrist')
    assert hops[wrist, other] == 6
    assert hops[H36M17.index('head'), H36M17.index('left_ankle')] == 7
    assert np.array_equal(hops, hops.T)
    assert (np.diag(hops) == 0).all()


def test_mirror_is_an_involution():
    assert [H36M17.mirror[j] for j in H36M17.mirror] == list(range(17))


@pytest.mark.parametrize(
    ('joints', 'limbs', 'message'),
    [
        (dict(a=None, b=None), {}, r"parent None, but there are 2: \['a', 'b'\]"),
        (dict(a='b', b='a'), {}, 'cycle'),
        (dict(a=None, b='z'), {}, "'b' has the unknown parent 'z'"),
        (dict(a=None, left_b='a'), {}, "'left_b' has no partner 'right_b'"),
        (
            dict(a=None, left_b='a', c='a', right_b='c'),
            {},
            "'right_b' should hang on 'a', not on 'c'",
        ),
        (dict(a=None, b='a'), dict(arm=('a', 'z')), "unknown 'z'"),
        (dict(a=None, b='a', c='a'), dict(arm=('b', 'c')), "parent of 'c' is 'a'"),
    ],
)
def test_malformed_table_is_refused(joints, limbs, message):
    with pytest.raises(ValueError, match=f"skeleton 'bad': .*{message}"):
        Skeleton('bad', joints, limbs)


def test_unknown_names_are_named():
    with pytest.raises(ValueError, match="no joint 'tail'; it has pelvis"):
        H36M17.index('tail')
    with pytest.raises(
        KeyError, match="'h36m1' is not registered. Did you mean h36m17"
    ):
        get_skeleton('h36m1')
