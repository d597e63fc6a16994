"""PCK and AUC by hand, and against the sums of the official tool, written slowly."""

import numpy as np
import pytest
import torch

from sealpose.evaluation import evaluate_poses
from sealpose.evaluation.functional.correct_keypoints import (
    auc_all,
    auc_official,
    pck_all,
    pck_official,
)
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import get_skeleton

SKELETON = get_skeleton('mpi_inf_3dhp17')
# The joint groups of the official tool, which counts from 1: head, neck, shoulders,
# elbows, wrists, hips, knees, ankles.
OFFICIAL_GROUPS = [[1], [2], [3, 6], [4, 7], [5, 8], [9, 12], [10, 13], [11, 14]]


def off_by(millimetres, frames=1):
    """Prediction and truth whose joints are so far apart: joint to distance."""
    gt = torch.zeros(frames, 17, 3)
    pred = gt.clone()
    for joint, distance in millimetres.items():
        pred[:, joint, 0] = distance / 1000
    return pred, gt, SKELETON


def official_sums(error):
    """PCK and AUC of (T, 17) millimetres, group by group as the official tool adds."""
    thresholds = list(range(0, 151, 5))
    pck, curve, joints = 0.0, [0.0] * len(thresholds), 0
    for group in OFFICIAL_GROUPS:
        of_group = [row[joint - 1] for row in error for joint in group]
        for i, threshold in enumerate(thresholds):
            share = sum(e < threshold for e in of_group) / len(of_group)
            curve[i] += share * len(group)
        pck += 100 * sum(e < 150 for e in of_group) / len(of_group) * len(group)
        joints += len(group)
    return pck / joints, 100 * sum(c / joints for c in curve) / len(curve)


def test_pck_by_hand():
    # Joints 0 and 13 are official, 14 (pelvis) and 16 (head) are not.
    pose = off_by({0: 149, 13: 151, 14: 500, 16: 200})
    assert pck_official(*pose).item() == pytest.approx(100 * 13 / 14)
    assert pck_all(*pose).item() == pytest.approx(100 * 14 / 17)


def test_a_joint_at_the_threshold_is_wrong():
    assert pck_official(*off_by({4: 150})).item() == pytest.approx(100 * 13 / 14)
    assert pck_official(*off_by({4: 149.99})).item() == 100
    # All 17 joints at 75 mm are right for 80, 85, ..., 150: 15 of the 31 thresholds.
    at_75 = off_by(dict.fromkeys(range(17), 75))
    assert auc_all(*at_75).item() == pytest.approx(100 * 15 / 31)


def test_auc_by_hand():
    # Nothing is less than 0 mm off, so that a perfect pose has 30 of 31.
    assert auc_official(*off_by({})).item() == pytest.approx(100 * 30 / 31)
    # 62 mm: right for 65, 70, ..., 150, 18 thresholds. Joint 15 is not official.
    pose = off_by({2: 62, 15: 1000})
    assert auc_official(*pose).item() == pytest.approx(100 * (13 * 30 + 18) / (14 * 31))
    assert auc_all(*pose).item() == pytest.approx(100 * (15 * 30 + 18) / (17 * 31))


def test_one_value_per_frame():
    pred, gt, _ = off_by({}, frames=3)
    pred[1, 3] = 1.0
    assert pck_all(pred, gt, SKELETON).tolist() == pytest.approx(
        [100, 100 * 16 / 17, 100]
    )
    assert auc_official(pred, gt, SKELETON).shape == (3,)


def test_mean_over_frames_is_what_the_official_tool_adds_up():
    random = np.random.default_rng(0)
    gt = random.normal(0, 0.4, (40, 17, 3)).astype(np.float32)
    pred = gt + random.normal(0, 0.06, gt.shape).astype(np.float32)
    error = 1000 * np.sqrt(((pred.astype(float) - gt) ** 2).sum(-1))
    pck, auc = official_sums(error.tolist())
    assert 0 < pck < 100
    pose = torch.from_numpy(pred), torch.from_numpy(gt), SKELETON
    assert pck_official(*pose).mean().item() == pytest.approx(pck, abs=1e-4)
    assert auc_official(*pose).mean().item() == pytest.approx(auc, abs=1e-4)


def test_sequences_count_by_their_frames():
    pred, gt, _ = off_by({}, frames=4)
    pred[3] = 1.0
    report = evaluate_poses(
        pred,
        gt,
        [dict(action='TS1', frames=3), dict(action='TS2', frames=1)],
        SKELETON,
        {'PCK-14': pck_official},
        dataset='MPIINF3DHP',
    )
    assert report.frame_mean == {'PCK-14': 75}
    assert report.action_mean == {'PCK-14': 50}
    assert report.higher_is_better == ['PCK-14']


@pytest.mark.parametrize('name', ['PCK-14', 'AUC-14', 'PCK-all', 'AUC-all'])
def test_names_units_and_direction(name):
    metric = FRAME_METRICS.get(name)
    assert (metric.unit, metric.higher_is_better) == ('%', True)
    assert not FRAME_METRICS.get('MPJPE').higher_is_better


def test_all_joints_needs_no_official_ones_and_14_says_what_is_missing():
    skeleton = get_skeleton('h36m17')
    pose = torch.zeros(1, 17, 3)
    assert pck_all(pose, pose, skeleton).item() == 100
    with pytest.raises(ValueError, match="'h36m17' has no joint set 'official14'"):
        auc_official(pose, pose, skeleton)
