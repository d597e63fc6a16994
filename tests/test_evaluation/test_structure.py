import pytest
import torch

from sealpose.evaluation.functional import bsle, bsle_mm, lle, lle_mm, lse, lse_mm
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import H36M17, Skeleton
from tests.test_evaluation.bodies import ARMS, arms

TRUTH = arms((0.3, 0.25), (0.3, 0.25))


def test_symmetry_error_by_hand():
    pred = arms((0.30, 0.25), (0.33, 0.25))
    # Upper arms 0.30 and 0.33, lower arms alike: two pairs.
    assert lse(pred, TRUTH, ARMS).item() == pytest.approx(
        100 * 0.03 / 0.63 / 2, rel=1e-5
    )
    assert lse_mm(pred, TRUTH, ARMS).item() == pytest.approx(30 / 2, rel=1e-5)


def test_symmetry_error_looks_at_the_prediction_alone():
    pred, lopsided = arms((0.4, 0.1), (0.4, 0.1)), arms((0.3, 0.2), (0.1, 0.2))
    assert lse(pred, lopsided, ARMS).item() == pytest.approx(0, abs=1e-4)
    assert lse(lopsided, pred, ARMS).item() == pytest.approx(
        100 * 0.2 / 0.4 / 2, rel=1e-5
    )


def test_all_six_pairs_of_h36m_count():
    pose = torch.zeros(1, 17, 3)
    for child in H36M17.left_joints:
        pose[:] = 0
        pose[0, child, 0] = 1.0
        assert lse(pose, pose, H36M17).item() >= 100 / 6 - 1e-3
    assert len(H36M17.symmetric_segments) == 6


def test_a_body_without_extent_is_symmetric():
    assert lse(torch.zeros(2, 5, 3), TRUTH, ARMS).tolist() == [0, 0]


def test_segment_length_error_by_hand():
    pred = arms((0.33, 0.20), (0.30, 0.25))
    expected = 100 * (0.03 / 0.30 + 0.05 / 0.25) / 4
    assert bsle(pred, TRUTH, ARMS).item() == pytest.approx(expected, rel=1e-5)
    assert bsle_mm(pred, TRUTH, ARMS).item() == pytest.approx((30 + 50) / 4, rel=1e-5)


def test_limb_length_error_by_hand():
    pred = arms((0.33, 0.20), (0.30, 0.30))
    # Left arm 0.53 and right arm 0.60 instead of 0.55.
    expected = 100 * (0.02 + 0.05) / 0.55 / 2
    assert lle(pred, TRUTH, ARMS).item() == pytest.approx(expected, rel=1e-5)
    assert lle_mm(pred, TRUTH, ARMS).item() == pytest.approx((20 + 50) / 2, rel=1e-5)


def test_limbs_forgive_what_segments_do_not():
    pred = arms((0.35, 0.20), (0.25, 0.30))
    assert lle(pred, TRUTH, ARMS).item() == pytest.approx(0, abs=1e-4)
    assert bsle(pred, TRUTH, ARMS).item() > 15


@pytest.mark.parametrize('metric', [lse, lse_mm, bsle, bsle_mm, lle, lle_mm])
def test_structure_does_not_depend_on_place_and_orientation(metric):
    pred = arms((0.33, 0.2), (0.3, 0.31))
    moved = pred[..., [2, 0, 1]] + 4
    found = metric(moved, TRUTH, ARMS)
    torch.testing.assert_close(found, metric(pred, TRUTH, ARMS), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize('name', ['LSE', 'LSE-mm', 'MPSSE'])
def test_a_skeleton_without_pairs_has_no_symmetry_error(name):
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    pose = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match=rf"{name} .*'chain' has no left/right pairs"):
        FRAME_METRICS.get(name)(pose, pose, chain)
