import torch

from sealpose.geometry.flip import flip_pose
from sealpose.skeletons import H36M17


def test_flip_exchanges_sides_and_mirrors_x():
    pose = torch.randn(2, 17, 3)
    flipped = flip_pose(pose, H36M17.mirror)
    left, right = H36M17.index('left_wrist'), H36M17.index('right_wrist')
    assert torch.equal(flipped[:, left, 0], -pose[:, right, 0])
    assert torch.equal(flipped[:, left, 1:], pose[:, right, 1:])
    assert torch.equal(flip_pose(flipped, H36M17.mirror), pose)
