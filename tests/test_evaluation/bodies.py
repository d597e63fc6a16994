"""A body so small that its metrics can be worked out by hand."""

import torch

from sealpose.skeletons import Skeleton

# Two arms of two segments on a root; no torso.
ARMS = Skeleton(
    'arms',
    joints={
        'root': None,
        'left_elbow': 'root',
        'left_wrist': 'left_elbow',
        'right_elbow': 'root',
        'right_wrist': 'right_elbow',
    },
    limbs={
        'left_arm': ('root', 'left_elbow', 'left_wrist'),
        'right_arm': ('root', 'right_elbow', 'right_wrist'),
    },
)


def arms(left=(0.3, 0.25), right=(0.3, 0.25), frames=1):
    """Arms stretched along x with these upper and lower segments, metres: (T, 5, 3)."""
    x = torch.tensor([0, left[0], sum(left), -right[0], -sum(right)])
    return torch.stack([x, torch.zeros(5), torch.zeros(5)], -1).repeat(frames, 1, 1)
