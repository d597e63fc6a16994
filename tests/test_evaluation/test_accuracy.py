import pytest
import torch

from sealpose.evaluation.functional import mpjpe, mpjve, n_mpjpe, p_mpjpe
from sealpose.registry import FRAME_METRICS
from tests.test_evaluation.bodies import ARMS, arms


def random_pose(frames=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(frames, 5, 3, generator=generator)
    return pose - pose[:, :1]


@pytest.mark.parametrize(
    ('name', 'unit', 'values'),
    [
        ('MPJPE', 'mm', 6),
        ('P-MPJPE', 'mm', 6),
        ('N-MPJPE', 'mm', 6),
        ('MPJVE', 'mm/frame', 5),
        ('LSE', '%', 6),
        ('LSE-mm', 'mm', 6),
        ('BSLE', '%', 6),
        ('BSLE-mm', 'mm', 6),
        ('LLE', '%', 6),
        ('LLE-mm', 'mm', 6),
        ('MPSSE', 'mm', 6),
        ('Angle', '°', 6),
        ('MPJPE-worst5', 'mm', 6),
        ('MPJPE-worst1', 'mm', 6),
    ],
)
def test_every_metric_is_known_by_name_with_its_unit(name, unit, values):
    metric = FRAME_METRICS.get(name)
    assert metric.unit == unit
    pred, gt = random_pose(6), random_pose(6, seed=1)
    found = metric(pred, gt, ARMS)
    assert found.shape == (values,)
    # A frame's value does not depend on what follows it.
    torch.testing.assert_close(metric(pred[:3], gt[:3], ARMS), found[: values - 3])


def test_mpjpe_by_hand_and_without_moving_the_root():
    gt = arms(frames=2)
    pred = gt.clone()
    pred[0, 2] += torch.tensor([0.0, 0.03, 0.04])
    pred[1] += torch.tensor([0.0, 0.0, 0.01])
    torch.testing.assert_close(mpjpe(pred, gt, ARMS), torch.tensor([50 / 5, 10.0]))


def test_mpjve_of_a_drift_is_its_speed():
    gt = arms(frames=5)
    drift = torch.arange(5.0)[:, None, None] * torch.tensor([0.003, 0.0, 0.004])
    found = mpjve(gt + drift, gt, ARMS)
    torch.testing.assert_close(found, torch.full((4,), 5.0), atol=1e-3, rtol=0)


def test_mpjve_counts_each_joint_and_ignores_where_the_pose_is():
    gt = arms(frames=3)
    pred = gt + 7.0
    pred[2, 4, 1] += 0.01
    found = mpjve(pred, gt, ARMS)
    torch.testing.assert_close(found, torch.tensor([0, 10 / 5]), atol=1e-3, rtol=0)


def test_a_single_frame_has_no_velocity():
    assert mpjve(arms(), arms(), ARMS).shape == (0,)


def test_p_mpjpe_by_hand():
    # Nothing but a scale of 1/2 and a shift fits these lines; what is left over is
    # symmetric: no rotation helps.
    gt = arms((1.0, 1.0), (1.0, 1.0))
    pred = 2 * gt.clone() + 5
    assert p_mpjpe(pred, gt, ARMS).item() == pytest.approx(0, abs=1e-3)
    pred = gt.clone()
    pred[0, 1, 1], pred[0, 3, 1] = 0.1, 0.1
    # Centred y: 0.06 at the elbows, -0.04 at the others; s = 10 / (10 + 0.012).
    scale = 10 / (10 + 2 * 0.06**2 + 3 * 0.04**2)
    ends, elbows, root = (
        (((1 - scale) * x) ** 2 + (scale * y) ** 2) ** 0.5
        for x, y in ((2, 0.04), (1, 0.06), (0, 0.04))
    )
    expected = (2 * ends + 2 * elbows + root) / 5 * 1000
    assert p_mpjpe(pred, gt, ARMS).item() == pytest.approx(expected, rel=1e-5)


def test_p_mpjpe_forgives_a_similarity_but_no_mirror():
    gt = random_pose()
    turned = gt[..., [1, 2, 0]] * 3 + 1
    assert p_mpjpe(turned, gt, ARMS).max() < 1e-3
    assert p_mpjpe(-gt, gt, ARMS).min() > 10


def test_n_mpjpe_forgives_scale_alone():
    gt, pred = random_pose(), random_pose(seed=1)
    assert n_mpjpe(0.37 * gt, gt, ARMS).max() < 1e-3
    torch.testing.assert_close(n_mpjpe(2.5 * pred, gt, ARMS), n_mpjpe(pred, gt, ARMS))
    assert n_mpjpe(gt[..., [1, 2, 0]], gt, ARMS).min() > 10


def test_n_mpjpe_scales_each_frame_by_its_own_factor():
    gt = random_pose()
    factors = torch.tensor([0.5, 1.0, 2.0, 4.0])[:, None, None]
    assert n_mpjpe(gt * factors, gt, ARMS).max() < 1e-3
