"""Losses that need no truth of the window that they judge."""

import numpy as np
import pytest
import torch

from sealpose.models.losses import BoneLengthPriorLoss, ReprojectionLoss
from sealpose.skeletons import H36M17
from tests.test_models.test_losses import ARMS, arms

FOCAL = 2.29


def poses(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 0.4 * torch.randn(4, 2, 17, 3, generator=generator, dtype=torch.float64)


def project(pose, place=(0.3, -0.2, 4.0)):
    points = pose + torch.tensor(place, dtype=pose.dtype)
    return FOCAL * points[..., :2] / points[..., 2:]


def loss(pred, keypoints, **kwargs):
    return ReprojectionLoss(**kwargs)(pred, pred * torch.nan, H36M17, keypoints).item()


def test_an_orthographic_view_of_any_size_and_place_has_no_loss():
    pose = poses()
    keypoints = 0.37 * pose[..., :2] + torch.tensor([0.2, -0.4])
    assert loss(pose, keypoints) == pytest.approx(0, abs=1e-12)
    assert loss(3 * pose, keypoints) == pytest.approx(0, abs=1e-12)
    assert loss(pose.roll(1, -2), keypoints) > 0.05


def test_weak_perspective_by_hand():
    pred = torch.tensor([[1.0, 0, 5], [-1, 0, 2], [0, 1, 0], [0, -1, 1]])[None, None]
    keypoints = torch.tensor([[0.2, 0], [-0.2, 0], [0, 0.1], [0, -0.1]])[None, None]
    # Best scale (0.2 + 0.2 + 0.1 + 0.1) / 4 = 0.15, which leaves 0.05 at each joint.
    assert loss(pred, keypoints + 0.3, weight=2.0) == pytest.approx(2 * 0.05)


def test_a_perspective_view_has_no_loss_with_the_focal_length():
    pose = poses()
    assert loss(pose, project(pose), focal=FOCAL) == pytest.approx(0, abs=1e-12)
    smaller = loss(0.6 * pose, project(pose), focal=FOCAL)
    assert smaller == pytest.approx(0, abs=1e-12)
    assert loss(pose, project(pose)) > 0.005


def test_perspective_fit_of_a_wrong_pose_agrees_with_a_solver():
    pred, keypoints = poses(0)[:1, :1], project(poses(0) + 0.05 * poses(1))[:1, :1]
    p, q = pred[0, 0].numpy(), keypoints[0, 0].numpy()
    # Unknown depth z and shift a, b: u (Z + z) = f X + a, v (Z + z) = f Y + b.
    one, zero = np.ones(17), np.zeros(17)
    matrix = np.vstack(
        [np.stack([q[:, 0], -one, zero], 1), np.stack([q[:, 1], zero, -one], 1)]
    )
    right = np.concatenate([FOCAL * p[:, i] - q[:, i] * p[:, 2] for i in (0, 1)])
    depth, a, b = np.linalg.lstsq(matrix, right, rcond=None)[0]
    seen = (FOCAL * p[:, :2] + [a, b]) / (p[:, 2:] + depth)
    expected = np.linalg.norm(seen - q, axis=-1).mean()
    assert expected > 0.001
    assert loss(pred, keypoints, focal=FOCAL) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('focal', [None, FOCAL])
def test_degenerate_poses_have_finite_gradients(focal):
    keypoints = project(poses())
    for pred in (torch.zeros_like(poses()), -poses()):
        pred.requires_grad_()
        value = ReprojectionLoss(focal=focal)(pred, pred, H36M17, keypoints)
        (gradient,) = torch.autograd.grad(value, pred)
        assert gradient.isfinite().all()


def test_bone_prior_by_hand():
    # Forearms of 0.3 m are known; the mean of those predicted is 0.28 m: two of four
    # segments differ by 2 cm.
    known = torch.cat([arms(), arms() * torch.nan, arms() * torch.nan])
    pred = torch.cat([arms(0.7, 0.7), arms(0.26, 0.26), arms(0.30, 0.30)])
    labelled = torch.tensor([True, False, False])
    prior = BoneLengthPriorLoss(weight=2.0)
    value = prior(pred, known, ARMS, labelled=labelled)
    assert value.item() == pytest.approx(2 * 0.01)


def test_bone_prior_without_unlabelled_windows():
    prior = BoneLengthPriorLoss()
    assert prior(arms(0.7), arms(), ARMS, labelled=torch.tensor([True])).item() == 0
    with pytest.raises(ValueError, match='no entry `labelled`; use .*FewLabels'):
        prior(arms(), arms(), ARMS, labelled=None)
