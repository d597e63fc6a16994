import pytest
import torch

from sealpose.geometry.bones import segment_lengths
from sealpose.geometry.kinematics import (
    bone_vectors,
    pose_from_bones,
    subtree,
    with_bone_lengths,
    with_constant_bones,
)
from sealpose.skeletons import H36M17, Skeleton, get_skeleton

# The root is not the first joint, and a joint comes before its parent.
LEG = Skeleton('leg', joints={'ankle': 'knee', 'hip': None, 'knee': 'hip'})
POSE = torch.tensor([[1.0, 2.0, 3.5], [1.0, 2.0, 3.0], [1.3, 2.4, 3.0]])


def test_bones_by_hand():
    expected = torch.tensor([[-0.3, -0.4, 0.5], [0.3, 0.4, 0.0]])
    torch.testing.assert_close(bone_vectors(POSE, LEG), expected)
    pose = pose_from_bones(expected, LEG, torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(pose, POSE)


@pytest.mark.parametrize('name', ['h36m17', 'mpi_inf_3dhp17', 'coco_wholebody133'])
def test_bones_and_root_give_the_pose_back(name):
    skeleton = get_skeleton(name)
    pose = torch.randn(2, 3, skeleton.num_joints, 3, dtype=torch.float64)
    bones = bone_vectors(pose, skeleton)
    again = pose_from_bones(bones, skeleton, pose[..., skeleton.root, :])
    torch.testing.assert_close(again, pose)
    shift = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    moved = pose_from_bones(bones, skeleton, pose[..., skeleton.root, :] + shift)
    torch.testing.assert_close(moved, pose + shift)


def test_new_lengths_by_hand():
    # The thigh doubles to 1 m, the shin of |(-0.3, -0.4, 0.5)| = sqrt(0.5) m too.
    lengths = torch.tensor([2 * 0.5**0.5, 1.0])
    pose = with_bone_lengths(POSE, lengths, LEG)
    expected = torch.tensor([[1.0, 2.0, 4.0], [1.0, 2.0, 3.0], [1.6, 2.8, 3.0]])
    torch.testing.assert_close(pose, expected)


def test_new_lengths_keep_directions_and_root():
    pose = torch.randn(4, 2, 17, 3, dtype=torch.float64)
    lengths = torch.rand(4, 2, 16, dtype=torch.float64) + 0.1
    changed = with_bone_lengths(pose, lengths, H36M17)
    torch.testing.assert_close(segment_lengths(changed, H36M17), lengths)
    torch.testing.assert_close(changed[..., 0, :], pose[..., 0, :])
    cosine = torch.cosine_similarity(
        bone_vectors(pose, H36M17), bone_vectors(changed, H36M17), dim=-1
    )
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


def test_a_bone_without_length_stays_so():
    pose = POSE.clone()
    pose[0] = pose[2]
    changed = with_bone_lengths(pose, torch.tensor([9.0, 0.5]), LEG)
    torch.testing.assert_close(changed, pose)


def test_what_hangs_from_a_joint():
    def names(joint):
        below = subtree(H36M17.index(joint), H36M17)
        assert len(below) == len(set(below))
        return {H36M17.joint_names[i] for i in below}

    assert names('left_wrist') == {'left_wrist'}
    assert names('right_hip') == {'right_hip', 'right_knee', 'right_ankle'}
    assert names('pelvis') == set(H36M17.joint_names)
    arms = {f'{s}_{j}' for s in ('left', 'right') for j in ('elbow', 'wrist')}
    shoulders = {'left_shoulder', 'right_shoulder'}
    assert names('thorax') == {'thorax', 'nose', 'head'} | arms | shoulders
    assert set(subtree(LEG.index('knee'), LEG)) == {0, 2}


def test_constant_bones_are_the_mean_of_frames_and_sides():
    scarecrow = Skeleton(
        'scarecrow',
        joints={
            'pelvis': None,
            'head': 'pelvis',
            'left_hand': 'pelvis',
            'right_hand': 'pelvis',
        },
    )
    poses = torch.tensor(
        [
            [[0, 0, 0], [0, 0, 1.0], [0.5, 0, 0], [-0.3, 0, 0]],
            [[1, 1, 1], [1, 3.0, 1], [1, 1, 1.2], [1.2, 1, 1]],
        ]
    )
    # The head is 1 and 2 m off; the hands 0.5 and 0.2 m, and 0.3 and 0.2 m.
    expected = torch.tensor(
        [
            [[0, 0, 0], [0, 0, 1.5], [0.3, 0, 0], [-0.3, 0, 0]],
            [[1, 1, 1], [1, 2.5, 1], [1, 1, 1.3], [1.3, 1, 1]],
        ]
    )
    torch.testing.assert_close(with_constant_bones(poses, scarecrow), expected)


def test_constant_bones_without_sides():
    poses = torch.stack([POSE, with_bone_lengths(POSE, torch.tensor([0.9, 0.3]), LEG)])
    lengths = segment_lengths(with_constant_bones(poses, LEG), LEG)
    expected = torch.tensor([(0.5**0.5 + 0.9) / 2, 0.4]).expand(2, 2)
    torch.testing.assert_close(lengths, expected)
