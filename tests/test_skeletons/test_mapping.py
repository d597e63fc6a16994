import pytest
import torch

from sealpose.skeletons import (
    H36M17,
    Skeleton,
    get_skeleton,
    map_joints,
    sub_skeleton,
)
from sealpose.skeletons.coco17 import COCO17


def test_coco_to_h36m_by_hand():
    joint_map = map_joints(COCO17, H36M17)
    x = torch.randn(2, 3, 17, 2)
    y = joint_map(x)

    def given(name):
        return x[..., COCO17.index(name), :]

    def made(name):
        return y[..., H36M17.index(name), :]

    shoulders = (given('left_shoulder') + given('right_shoulder')) / 2
    hips = (given('left_hip') + given('right_hip')) / 2
    torch.testing.assert_close(made('left_wrist'), given('left_wrist'))
    torch.testing.assert_close(made('pelvis'), hips)
    torch.testing.assert_close(made('thorax'), shoulders)
    torch.testing.assert_close(made('spine'), (hips + shoulders) / 2)
    eyes = (given('left_eye') + given('right_eye')) / 2
    torch.testing.assert_close(made('head'), eyes)
    torch.testing.assert_close(made('nose'), given('nose'))


def test_only_joints_of_one_name_are_common():
    common = map_joints(COCO17, H36M17).common
    assert len(common) == 13
    assert 'nose' in common
    assert {'pelvis', 'thorax', 'spine', 'head'}.isdisjoint(common)


def test_aliases_join_and_separate_names():
    other = Skeleton(
        'other',
        joints={'neck': None, 'head': 'neck', 'head_top': 'head'},
        aliases={'neck': 'thorax', 'head': 'head_center', 'head_top': 'head'},
    )
    target = Skeleton('target', joints={'thorax': None, 'head': 'thorax'})
    joint_map = map_joints(other, target)
    assert joint_map.recipes == {'thorax': ['neck'], 'head': ['head_top']}
    assert joint_map.common == ('thorax', 'head')


def test_a_skeleton_maps_to_itself():
    joint_map = map_joints(H36M17, H36M17)
    assert torch.equal(joint_map.weights, torch.eye(17))
    assert joint_map.common == H36M17.joint_names


def test_rules_that_need_each_other_end_in_an_error():
    headless = Skeleton('headless', joints={'pelvis': None})
    target = Skeleton('target', joints={'head_center': None, 'pelvis': 'head_center'})
    with pytest.raises(ValueError, match="'headless': there is no head_center"):
        map_joints(headless, target)


def test_sub_skeleton_hangs_joints_on_kept_ancestors():
    kept = [name for name in H36M17.joint_names if name not in ('spine', 'nose')]
    part = sub_skeleton(H36M17, kept)
    assert part.num_joints == 15
    assert part.joints['thorax'] == 'pelvis'
    assert part.joints['head'] == 'thorax'
    assert part.limbs == H36M17.limbs
    assert len(part.symmetric_segments) == 6


def test_sub_skeleton_keeps_the_joint_sets_that_are_whole():
    mpi = get_skeleton('mpi_inf_3dhp17')
    kept = [name for name in mpi.joint_names if name != 'head']
    part = sub_skeleton(mpi, kept)
    assert part.joint_set('official14') == tuple(range(14))
    kept = [name for name in mpi.joint_names if name != 'head_top']
    assert 'official14' not in sub_skeleton(mpi, kept).joint_sets


def test_sub_skeleton_drops_limbs_that_lost_a_joint():
    kept = set(H36M17.joint_names) - {'left_elbow', 'right_elbow'}
    part = sub_skeleton(H36M17, kept)
    assert set(part.limbs) == {'left_leg', 'right_leg'}
    assert part.joints['left_wrist'] == 'left_shoulder'
