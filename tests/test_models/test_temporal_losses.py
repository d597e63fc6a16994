import pytest
import torch

from sealpose.models.losses import NMPJPELoss, SmoothnessLoss, VelocityLoss
from sealpose.skeletons import H36M17


def still(frames):
    torch.manual_seed(0)
    return torch.randn(1, 1, 17, 3).expand(2, frames, 17, 3).clone()


def test_velocity_by_hand():
    target, pred = still(3), still(3)
    pred[:, 1, 5] += torch.tensor([0.0, 0.3, 0.4])
    # Two displacements of one joint of 17 are off by 0.5 each.
    expected = 20 * 2 * 0.5 / (2 * 17)
    loss = VelocityLoss(weight=20)(pred, target, H36M17)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_velocity_ignores_a_constant_offset():
    target = torch.randn(2, 4, 17, 3)
    assert VelocityLoss()(target + 0.1, target, H36M17).item() < 1e-6


def test_smoothness_by_hand():
    pred = still(2)
    pred[:, 1, 3] += torch.tensor([0.1, 0.0, 0.2])
    # Joint 3 is the right ankle.
    loss = SmoothnessLoss(weight=0.5, joint_weights=dict(right_ankle=2.5))
    loss = loss(pred, None, H36M17)
    assert loss.item() == pytest.approx(0.5 * 2.5 * (0.01 + 0.04) / (17 * 3), rel=1e-5)


@pytest.mark.parametrize('loss', [VelocityLoss(), SmoothnessLoss()])
def test_one_frame_has_no_motion(loss):
    pred = torch.randn(2, 1, 17, 3, requires_grad=True)
    value = loss(pred, torch.zeros(2, 1, 17, 3), H36M17)
    value.backward()
    assert value.item() == 0
    assert torch.equal(pred.grad, torch.zeros_like(pred))


def test_n_mpjpe_forgives_scale_alone():
    torch.manual_seed(0)
    target = torch.randn(2, 3, 17, 3)
    loss = NMPJPELoss(weight=0.5)
    assert loss(1.3 * target, target, H36M17).item() < 1e-6
    pred = target.clone()
    pred[..., 4, :] += 0.2
    scale = (pred * target).sum((-2, -1)) / pred.square().sum((-2, -1))
    by_hand = (scale[..., None, None] * pred - target).norm(dim=-1).mean()
    assert loss(pred, target, H36M17).item() == pytest.approx(0.5 * by_hand.item())
