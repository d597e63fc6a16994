from sealpose.skeletons import H36M17, get_skeleton


def test_h36m16_is_the_published_order():
    skeleton = get_skeleton('h36m16')
    assert skeleton.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)
    assert skeleton.left_joints == (4, 5, 6, 10, 11, 12)
    assert skeleton.right_joints == (1, 2, 3, 13, 14, 15)


def test_h36m16_is_h36m17_without_the_nose():
    kept = tuple(name for name in H36M17.joint_names if name != 'nose')
    skeleton = get_skeleton('h36m16')
    assert skeleton.joint_names == kept
    assert skeleton.joints['head'] == 'thorax'
    assert skeleton.limbs == H36M17.limbs
