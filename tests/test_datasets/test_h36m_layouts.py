import numpy as np
import pytest
import torch

from sealpose.datasets import Human36M
from tests.conftest import h36m_files, save_objects

WITHOUT_NOSE = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16]
# MPII's 16 joints by their position in Human3.6M's 17.
HOURGLASS = [3, 2, 1, 4, 5, 6, 0, 7, 8, 10, 16, 15, 14, 11, 12, 13]


def detections(root, order, **metadata):
    """Write the 2D keypoints of ``gt`` as ``sh``, in another order of joints."""
    with np.load(root / 'data_2d_h36m_gt.npz', allow_pickle=True) as archive:
        tracks = archive['positions_2d'].item()
    for clips in tracks.values():
        for clip, views in clips.items():
            clips[clip] = [view[:, order] for view in views]
    save_objects(root / 'data_2d_h36m_sh.npz', positions_2d=tracks, metadata=metadata)
    return dict(keypoints='sh', split='test', skeleton='h36m16')


@pytest.mark.parametrize(
    ('order', 'symmetry'),
    [
        (WITHOUT_NOSE, [[4, 5, 6, 10, 11, 12], [1, 2, 3, 13, 14, 15]]),
        (HOURGLASS, [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]),
        (list(range(17)), [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]),
    ],
    ids=['semgcn', 'videopose3d', '17 joints'],
)
def test_16_joints_in_either_order(tmp_path, order, symmetry):
    root = h36m_files(tmp_path, frames=4)
    found = Human36M(
        str(root), **detections(root, order, num_joints=16, keypoints_symmetry=symmetry)
    ).store
    whole = Human36M(str(root), split='test').store
    assert found.keypoints_2d.equal(whole.keypoints_2d[:, WITHOUT_NOSE])
    assert found.keypoints_3d.equal(whole.keypoints_3d[:, WITHOUT_NOSE])


def test_16_joints_do_not_make_17(tmp_path):
    root = h36m_files(tmp_path, frames=4)
    settings = detections(root, WITHOUT_NOSE)
    with pytest.raises(ValueError, match="without nose.*set skeleton='h36m16'"):
        Human36M(str(root), **{**settings, 'skeleton': 'h36m17'})


def test_the_joints_of_coco_are_mapped(tmp_path):
    root = h36m_files(tmp_path, frames=4)
    left = [1, 3, 5, 7, 9, 11, 13, 15]
    settings = detections(
        root, range(17), keypoints_symmetry=[left, [i + 1 for i in left]]
    )
    found = Human36M(str(root), **{**settings, 'skeleton': 'h36m17'}).store
    points = Human36M(str(root), split='test').store.keypoints_2d
    torch.testing.assert_close(found.keypoints_2d[:, 3], points[:, 16])  # right ankle
    hips = (points[:, 11] + points[:, 12]) / 2
    torch.testing.assert_close(found.keypoints_2d[:, 0], hips)


@pytest.mark.parametrize('symmetry', [[[0, 1], [2, 3]], [], 5, [['a', 1], {}], {}])
def test_an_unknown_order_of_joints_is_refused(tmp_path, symmetry):
    root = h36m_files(tmp_path, frames=4)
    settings = detections(root, range(17), keypoints_symmetry=symmetry)
    with pytest.raises(ValueError, match=r'data_2d_h36m_sh.npz: .* 17 joints with'):
        Human36M(str(root), **settings)
