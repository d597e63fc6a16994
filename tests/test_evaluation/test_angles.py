import math

import pytest
import torch

from sealpose.evaluation.functional.angles import joint_angle_error
from sealpose.skeletons import H36M17, Skeleton
from tests.test_evaluation.bodies import ARMS, arms


def bent(degrees):
    """Arms of which the left forearm is turned by so much about its elbow."""
    pose = arms().double()
    turn = math.radians(degrees)
    forearm = torch.tensor([math.cos(turn), math.sin(turn), 0], dtype=pose.dtype)
    pose[0, 2] = pose[0, 1] + 0.25 * forearm
    return pose


@pytest.mark.parametrize('degrees', [0, 1e-4, 30, 90, 179.9999, 180])
def test_one_bend_of_two_by_hand(degrees):
    found = joint_angle_error(bent(degrees), bent(0), ARMS).item()
    assert found == pytest.approx(degrees / 2, abs=1e-9)


def test_bending_too_much_is_as_wrong_as_too_little():
    for degrees in (10, 50):
        found = joint_angle_error(bent(degrees), bent(30), ARMS).item()
        assert found == pytest.approx(20 / 2)


def test_nearly_straight_joints_keep_their_digits_in_float32():
    found = joint_angle_error(bent(0.01).float(), bent(0).float(), ARMS).item()
    assert found == pytest.approx(0.005, rel=1e-2)


def test_size_place_and_orientation_do_not_matter():
    torch.manual_seed(0)
    pred, gt = torch.randn(5, 17, 3).double(), torch.randn(5, 17, 3).double()
    moved = 3 * pred[..., [2, 0, 1]] + 7
    found = joint_angle_error(pred, gt, H36M17)
    torch.testing.assert_close(joint_angle_error(moved, gt, H36M17), found)
    assert (found > 1).all()


def test_every_segment_that_leaves_a_joint_makes_a_bend():
    # Turning the left shoulder, elbow and wrist of H36M's pose about the thorax: of its
    # 13 bends only thorax-shoulder is another one.
    gt = torch.zeros(1, 17, 3)
    for parent, child in H36M17.segments:
        gt[0, child] = gt[0, parent] + torch.tensor([0.0, 1.0, 0.0])
    pred = gt.clone()
    arm = [H36M17.index(f'left_{joint}') for joint in ('shoulder', 'elbow', 'wrist')]
    thorax = gt[0, H36M17.index('thorax')]
    pred[0, arm] = thorax + (gt[0, arm] - thorax)[:, [1, 0, 2]]
    assert joint_angle_error(pred, gt, H36M17).item() == pytest.approx(90 / 13)


def test_a_body_in_one_point_has_straight_joints():
    point = torch.zeros(2, 5, 3)
    assert joint_angle_error(point, arms(frames=2), ARMS).tolist() == [0, 0]


def test_a_skeleton_without_bends_is_refused():
    star = Skeleton('star', joints=dict(root=None, left_hand='root', right_hand='root'))
    with pytest.raises(ValueError, match="'star' has no two segments in a row"):
        joint_angle_error(torch.zeros(1, 3, 3), torch.zeros(1, 3, 3), star)
