import pytest
import torch

from sealpose.evaluation.functional.plausibility import (
    bone_length_deviation,
    flagged,
    jitter,
)
from sealpose.skeletons import Skeleton

ARMS = Skeleton(
    'two_arms',
    joints=dict(root=None, left_hand='root', right_hand='root'),
)


def hands(left, right):
    """Hands along x, left and right arm lengths in metres per frame."""
    pose = torch.zeros(len(left), 3, 3)
    pose[:, 1, 0] = torch.tensor(left)
    pose[:, 2, 0] = -torch.tensor(right)
    return pose


def test_bone_length_deviation_by_hand():
    pose = hands([0.5, 0.5, 0.6], [0.5, 0.5, 0.5])
    # The third frame's left arm is 20 % off its median, its right arm not at all.
    expected = torch.tensor([0.0, 0.0, 10.0])
    torch.testing.assert_close(bone_length_deviation(pose, None, ARMS), expected)


def test_jitter_by_hand():
    pose = hands([0.5, 0.5, 0.53, 0.56], [0.5] * 4)
    # Only the left hand accelerates, by 30 mm, once; one joint of three.
    torch.testing.assert_close(
        jitter(pose, None, ARMS), torch.tensor([10.0, 0.0]), atol=1e-4, rtol=0
    )
    assert jitter(pose[:2], None, ARMS).shape == (0,)


def test_steady_motion_has_no_jitter():
    pose = hands([0.5] * 5, [0.5] * 5) + torch.arange(5.0)[:, None, None] * 0.1
    assert jitter(pose, None, ARMS).max() < 1e-3


@pytest.mark.parametrize(
    ('left', 'right', 'expected'),
    [
        ([0.5, 0.5, 0.62], [0.5] * 3, [0, 0, 0]),
        ([0.5, 0.5, 0.63], [0.5] * 3, [0, 0, 100]),
        ([0.4] * 3, [0.52] * 3, [100, 100, 100]),
    ],
)
def test_frames_are_flagged_from_a_quarter(left, right, expected):
    found = flagged(hands(left, right), None, ARMS)
    assert found.tolist() == expected
