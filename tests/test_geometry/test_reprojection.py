"""The errors themselves; the loss made of them is tested with the other losses."""

import torch

from sealpose.geometry.reprojection import reprojection_error

POSE = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])


def test_weak_perspective_errors_by_hand():
    # Centred keypoints ±(0.2, 0.1): scale 0.2 fits x, and y keeps its whole error.
    keypoints = torch.tensor([[0.7, 0.4], [0.3, 0.2]])
    expected = torch.tensor([[0.0, -0.1], [0.0, 0.1]])
    torch.testing.assert_close(reprojection_error(POSE, keypoints), expected)


def test_perspective_errors_by_hand():
    # Centred keypoints ±(0.4, 0.2) and 2 X = ±2: the depth is 1.6 / 0.4 = 4, so u is
    # seen at ±0.5 instead of ±0.4, and v at 0 instead of ±0.2.
    keypoints = torch.tensor([[0.5, 0.3], [-0.3, -0.1]])
    expected = torch.tensor([[0.1, -0.2], [-0.1, 0.2]])
    error = reprojection_error(POSE, keypoints, focal=2.0)
    torch.testing.assert_close(error, expected)


def test_poses_of_a_batch_are_fitted_one_by_one():
    torch.manual_seed(0)
    pose, keypoints = torch.randn(3, 2, 17, 3), torch.randn(3, 2, 17, 2)
    for focal in (None, 2.29):
        together = reprojection_error(pose, keypoints, focal)
        alone = reprojection_error(pose[1:2, 1], keypoints[1:2, 1], focal)
        assert together.shape == (3, 2, 17, 2)
        torch.testing.assert_close(together[1:2, 1], alone)
