"""Small files in the official forms of MPI-INF-3DHP and H3WB, for whole runs.

Written without the readers' tables, so that a fault there cannot hide here.
"""

from pathlib import Path

import numpy as np

from tests.conftest import save_objects, walking_joints

# MPI-INF-3DHP's order, by the joints of Human3.6M's order; -1 lies in the neck.
FROM_H36M = [10, 8, 14, 15, 16, 11, 12, 13, 1, 2, 3, 4, 5, 6, 0, 7, 9]


def _camera_view(frames: int, seed: int) -> np.ndarray:
    """A person four metres before a camera, (T, 17, 3) mm, camera axes."""
    joints = 1000 * walking_joints(frames, seed)[:, FROM_H36M]
    return np.stack([joints[..., 0], -joints[..., 2], 4000 + joints[..., 1]], -1)


def _pixels(points: np.ndarray, focal: float, centre: tuple) -> np.ndarray:
    return focal * points[..., :2] / points[..., 2:] + np.array(centre)


def mpi_inf_3dhp_files(root: Path, frames: int = 30) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    train = {}
    for subject in range(1, 9):
        for sequence in (1, 2):
            cameras = {}
            for camera in (0, 1, 2, 4, 5, 6, 7, 8):
                pose = _camera_view(frames, seed=100 * subject + camera)
                cameras[str(camera)] = dict(
                    data_2d=_pixels(pose, 1500, (1024, 1024)).astype(np.float32),
                    data_3d=pose.astype(np.float32),
                )
            train[f'S{subject} Seq{sequence}'] = [cameras, 25]
    test = {}
    for number in range(1, 7):
        pose = _camera_view(frames, seed=number)
        size = (1920, 1080) if number > 4 else (2048, 2048)
        valid = np.ones(frames)
        valid[::3] = 0
        test[f'TS{number}'] = dict(
            data_2d=_pixels(pose, 1200, (size[0] / 2, size[1] / 2)),
            data_3d=pose,
            valid=valid,
        )
    save_objects(root / 'data_train_3dhp.npz', data=train)
    save_objects(root / 'data_test_3dhp.npz', data=test)
    return root


def _whole_body(frames: int, seed: int) -> np.ndarray:
    """133 points around a person, (n, 133, 3) mm, camera axes."""
    random = np.random.default_rng(seed)
    points = random.normal(0, 200, (frames, 133, 3))
    points[..., 2] += 4000
    return points


def h3wb_files(root: Path, frames: int = 6) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    cameras = ('54138969', '55011271', '58860488', '60457274')

    def actions(seed: int) -> dict:
        found = {}
        for a, action in enumerate(('Directions', 'Walking 1')):
            entry = dict(
                global_3d=_whole_body(frames, seed + a),
                frame_id=np.arange(frames) * 20 + 5,
            )
            for c, camera in enumerate(cameras):
                pose = _whole_body(frames, seed + 10 * a + c)
                entry[camera] = dict(
                    camera_3d=pose,
                    pose_2d=_pixels(pose, 1145, (512, 515)),
                    sample_id=np.arange(frames) + 1000 * seed + 100 * a + 10 * c,
                )
            found[action] = entry
        return found

    calibration = {
        camera: dict(
            K=np.array([[[1.145, 0, 0.512], [0, 1.144, 0.515], [0, 0, 1]]]),
            R=np.eye(3)[None],
            T=np.zeros((1, 1, 3)),
            Distortion=np.zeros((1, 5)),
        )
        for camera in cameras
    }
    parts = dict(
        left_side=[1], right_side=[2], body=list(range(17)), face=list(range(23, 91)),
        left_hand=list(range(91, 112)), right_hand=list(range(112, 133)),
        left_foot=[17, 18, 19], right_foot=[20, 21, 22], h3wb_vs_h36m=[],
    )  # fmt: skip
    train = {s: actions(i) for i, s in enumerate(('S1', 'S5', 'S6', 'S7'))}
    metadata = {**dict.fromkeys((*train, 'S8'), calibration), **parts}
    save_objects(root / 'h3wb_train.npz', train_data=train, metadata=metadata)
    for task in (1, 2):
        save_objects(root / f'task{task}_test_3d.npz', data={'S8': actions(9 + task)})
    return root
