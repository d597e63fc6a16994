import pytest
import torch

from sealpose.models.losses import (
    BoneLengthLoss,
    MPJPELoss,
    PoseMSELoss,
    SymmetryLoss,
)
from sealpose.skeletons import H36M17, Skeleton

ARMS = Skeleton(
    'arms',
    joints=dict(
        root=None,
        left_elbow='root',
        left_wrist='left_elbow',
        right_elbow='root',
        right_wrist='right_elbow',
    ),
)


def arms(left=0.3, right=0.3):
    """Upper arms of 0.25 m, forearms as given, along x."""
    x = torch.tensor([0, 0.25, 0.25 + left, -0.25, -0.25 - right])
    return torch.stack([x, torch.zeros(5), torch.zeros(5)], -1)[None, None]


def test_mpjpe_by_hand():
    target = arms()
    pred = target.clone()
    pred[..., 2, :] += torch.tensor([0.0, 0.3, 0.4])
    assert MPJPELoss()(pred, target, ARMS).item() == pytest.approx(0.5 / 5)


def test_weighted_mpjpe_by_hand():
    target = arms()
    pred = target.clone()
    pred[..., 2, 1] += 0.5
    pred[..., 1, 1] += 0.1
    loss = MPJPELoss(joint_weights=dict(left_wrist=4.0))
    assert loss(pred, target, ARMS).item() == pytest.approx((4 * 0.5 + 0.1) / 5)


def test_weights_of_another_skeleton_are_refused():
    pose = torch.zeros(1, 1, 17, 3)
    with pytest.raises(ValueError, match="'h36m17' has no joint 'tail'"):
        MPJPELoss(joint_weights=dict(tail=2.0))(pose, pose, H36M17)


def test_mse_by_hand():
    target = arms()
    pred = target + 0.1
    assert PoseMSELoss()(pred, target, ARMS).item() == pytest.approx(0.01)


def test_symmetry_by_hand():
    # Two pairs: upper arms agree, forearms differ by 4 cm.
    loss = SymmetryLoss(weight=0.5)(arms(0.30, 0.26), arms(), ARMS)
    assert loss.item() == pytest.approx(0.5 * 0.04 / 2)


def test_symmetry_needs_two_sides():
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    pose = torch.zeros(1, 1, 2, 3)
    expected = r"SymmetryLoss .*'chain' has no left/right pairs.*leave it out"
    with pytest.raises(ValueError, match=expected):
        SymmetryLoss()(pose, pose, chain)
    assert BoneLengthLoss()(pose, pose, chain) == 0


def test_bone_length_by_hand():
    # Four segments, one is 3 cm too long.
    loss = BoneLengthLoss(weight=2.0)(arms(0.33, 0.30), arms(), ARMS)
    assert loss.item() == pytest.approx(2.0 * 0.03 / 4)


@pytest.mark.parametrize('loss', [SymmetryLoss(), BoneLengthLoss()])
def test_constraints_ignore_rotation(loss):
    pred, target = arms(0.33, 0.3), arms()
    turned = pred[..., [1, 2, 0]]
    torch.testing.assert_close(loss(pred, target, ARMS), loss(turned, target, ARMS))
