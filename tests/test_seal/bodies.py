"""A body of six joints whose bones can be worked out by hand, and random poses."""

import torch

from sealpose.skeletons import Skeleton, get_skeleton

SKELETONS = ('h36m17', 'mpi_inf_3dhp17', 'coco_wholebody133')

# Segments: neck, left and right upper arm, left and right forearm.
BODY = Skeleton(
    'body',
    joints={
        'hip': None,
        'head': 'hip',
        'left_elbow': 'hip',
        'right_elbow': 'hip',
        'left_hand': 'left_elbow',
        'right_hand': 'right_elbow',
    },
)


def body(neck=0.6, left=0.3, right=0.3, left_hand=0.2, right_hand=0.2):
    """Return (6, 3) metres: head up (y < 0), arms to the sides, forearms down."""
    return torch.tensor([
        [0, 0, 0],
        [0, -neck, 0],
        [left, 0, 0],
        [-right, 0, 0],
        [left, left_hand, 0],
        [-right, right_hand, 0],
    ])  # fmt: skip


def random_poses(skeleton, batch=6, frames=4, seed=0):
    """Return keypoints, prediction and truth of a batch, float64."""
    joints = get_skeleton(skeleton).num_joints
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, frames, joints, 3)
    y = 0.3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    noise = 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return y[..., :2].clone(), y + noise, y


def rotations(count):
    """Return (count, 1, 3, 3) random rotations, float64."""
    matrix = torch.linalg.qr(torch.randn(count, 1, 3, 3, dtype=torch.float64)).Q
    return matrix * torch.linalg.det(matrix)[..., None, None]
