import pytest
import torch

from sealpose.evaluation import evaluate_poses
from sealpose.evaluation.functional.consistency import mpsce, mpsse
from tests.test_evaluation.bodies import ARMS, arms


def breathing(*lengths):
    """A left upper arm of these lengths, frame by frame; nothing else changes."""
    return torch.cat([arms((length, 0.25)) for length in lengths])


def test_symmetry_by_hand():
    # Upper arms 0.30 and 0.33, lower arms alike: two pairs.
    pred = arms((0.30, 0.25), (0.33, 0.25))
    assert mpsse(pred, pred, ARMS).item() == pytest.approx(30 / 2, rel=1e-5)


def test_consistency_by_hand():
    # 300, 310, 320 mm: a deviation of 10 mm, of one segment of four; the prediction
    # alone counts.
    pred = breathing(0.30, 0.31, 0.32)
    found = mpsce(pred, arms(frames=3), ARMS)
    torch.testing.assert_close(
        found, torch.full((3,), 2.5, dtype=torch.float64), rtol=1e-4, atol=0
    )


def test_a_rigid_body_is_consistent_wherever_it_goes():
    moving = arms(frames=4) + torch.randn(4, 1, 3)
    turning = torch.stack([moving[0], moving[1][:, [1, 2, 0]]])
    assert mpsce(moving, moving, ARMS).max() < 1e-3
    assert mpsce(turning, turning, ARMS).max() < 1e-3


def test_sequences_count_by_their_frames_and_single_frames_not():
    pred = torch.cat([breathing(0.30, 0.31, 0.32), breathing(0.3), arms(frames=2)])
    report = evaluate_poses(
        pred,
        pred,
        [dict(action='a', frames=frames) for frames in (3, 1, 2)],
        ARMS,
        {'MPSCE': mpsce},
        dataset='toy',
    )
    # 3 frames of 2.5 mm and 2 of 0.
    assert report.per_action['a']['MPSCE'] == pytest.approx(1.5, rel=1e-4)
