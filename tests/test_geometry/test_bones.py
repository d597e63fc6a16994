import pytest
import torch

from sealpose.geometry.bones import limb_lengths, segment_lengths
from sealpose.skeletons import H36M17, Skeleton

LEG = Skeleton(
    'leg',
    joints={'hip': None, 'knee': 'hip', 'ankle': 'knee', 'nose': 'hip'},
    limbs={'leg': ('hip', 'knee', 'ankle')},
)
POSE = torch.tensor([[0.0, 0, 0], [0.3, 0.4, 0], [0.3, 0.4, 0.25], [0, 0, -0.6]])


def test_segments_and_limbs_by_hand():
    expected = torch.tensor([0.5, 0.25, 0.6])
    torch.testing.assert_close(segment_lengths(POSE, LEG), expected)
    torch.testing.assert_close(limb_lengths(POSE, LEG), torch.tensor([0.75]))


def test_leading_dimensions_are_kept_and_position_does_not_matter():
    poses = POSE + torch.randn(2, 5, 1, 3)
    assert segment_lengths(poses, LEG).shape == (2, 5, 3)
    expected = torch.full((2, 5, 1), 0.75)
    torch.testing.assert_close(limb_lengths(poses, LEG), expected)


def test_limbs_of_h36m_come_in_the_order_of_the_skeleton():
    pose = torch.zeros(17, 3)
    pose[H36M17.index('left_wrist'), 0] = 0.25
    pose[H36M17.index('right_knee'), 1] = 0.5
    lengths = dict(zip(H36M17.limbs, limb_lengths(pose, H36M17).tolist(), strict=True))
    # The knee is an end of both segments of its leg.
    expected = {'left_arm': 0.25, 'right_arm': 0, 'left_leg': 0, 'right_leg': 1.0}
    assert lengths == pytest.approx(expected)


def test_a_skeleton_without_limbs_is_refused():
    bare = Skeleton('bare', joints={'hip': None, 'knee': 'hip'})
    with pytest.raises(ValueError, match="'bare' has no limbs; name them"):
        limb_lengths(torch.zeros(2, 3), bare)


def test_training_gets_the_same_lengths_and_their_gradient():
    pose = POSE.clone().requires_grad_()
    lengths = segment_lengths(pose, LEG)
    torch.testing.assert_close(lengths.detach(), segment_lengths(POSE, LEG))
    lengths.sum().backward()
    # The ankle is pulled along the shin, the hip by thigh and neck.
    torch.testing.assert_close(pose.grad[2], torch.tensor([0.0, 0, 1]))
    torch.testing.assert_close(pose.grad[0], torch.tensor([-0.6, -0.8, 1]))
