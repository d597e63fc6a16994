from dataclasses import asdict

import numpy as np
import pytest
import torch

from sealpose.datasets import CMUMocap
from sealpose.geometry.camera import camera_ring, project_to_pixels, world_to_camera
from tests.conftest import save_objects, walking_joints

CAMERAS = camera_ring(2)


@pytest.fixture
def cmu_files(tmp_path):
    """Write the converter's files; ``changes`` replaces entries of the metadata."""

    def write(**changes):
        world = walking_joints(5)
        points = torch.from_numpy(world)
        tracks = [
            project_to_pixels(world_to_camera(points, camera), camera).numpy()
            for camera in CAMERAS
        ]
        metadata = dict(
            cameras=[asdict(camera) for camera in CAMERAS],
            actions={'02_01': 'walk'},
            split={'train': ['02'], 'val': [], 'test': []},
        )
        metadata.update(changes)
        metadata = {key: value for key, value in metadata.items() if value is not None}
        positions = {'02': {'02_01': world}}
        save_objects(tmp_path / 'data_3d_cmu.npz', positions_3d=positions)
        save_objects(
            tmp_path / 'data_2d_cmu_gt.npz',
            positions_2d={'02': {'02_01': tracks}},
            metadata=metadata,
        )
        return str(tmp_path)

    return write


def test_poses_project_onto_their_keypoints(cmu_files):
    data = CMUMocap(cmu_files(), split='train')
    assert [s['camera'] for s in data.store.sequences] == ['cam0', 'cam1']
    assert {s['action'] for s in data.store.sequences} == {'walk'}
    points = world_to_camera(torch.from_numpy(walking_joints(5)).double(), CAMERAS[0])
    depth = points[:, :1] + data.store.keypoints_3d[:5].double()
    screen = project_to_pixels(depth, CAMERAS[0]) / 500 - 1
    np.testing.assert_allclose(screen, data.store.keypoints_2d[:5], atol=1e-5)


@pytest.mark.parametrize(
    ('changes', 'split', 'message'),
    [
        (dict(cameras=None), 'train', "metadata: no entry 'cameras'; convert the data"),
        (dict(split=None), 'train', "metadata: no entry 'split'"),
        (dict(actions={}), 'train', "actions: no entry '02_01'"),
        ({}, 'dev', "has the splits train, val, test, not 'dev'"),
        ({}, 'val', 'holds no sequence'),
        (
            dict(split={'train': ['02', '07'], 'test': ['02']}),
            'train',
            '02 is in train and in test',
        ),
    ],
)
def test_faults_of_the_metadata_are_named(cmu_files, changes, split, message):
    with pytest.raises(ValueError, match=message):
        CMUMocap(cmu_files(**changes), split=split)


def test_missing_files_name_the_converter(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'dataset_converters/cmu_mocap\.py'):
        CMUMocap(str(tmp_path))
