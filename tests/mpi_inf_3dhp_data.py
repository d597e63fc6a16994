"""MPI-INF-3DHP in its release and in both layouts, made without the readers' tables."""

from pathlib import Path

import numpy as np

from tests.conftest import save_objects

# A person seen from the front, millimetres from the pelvis, y down: the 17 joints.
STANDING = np.array([
    [0, -700, 0], [0, -450, 0],
    [-170, -430, 0], [-200, -180, 0], [-210, 50, 0],
    [170, -430, 0], [200, -180, 0], [210, 50, 0],
    [-100, 0, 0], [-110, 420, 0], [-115, 820, 0],
    [100, 0, 0], [110, 420, 0], [115, 820, 0],
    [0, 0, 0], [0, -230, 0], [0, -580, 0],
])  # fmt: skip
# The 28 joints of the training annotations, by the names of the authors' tool.
NAMES_28 = [
    'spine3', 'spine4', 'spine2', 'spine', 'pelvis', 'neck', 'head', 'head_top',
    'left_clavicle', 'left_shoulder', 'left_elbow', 'left_wrist', 'left_hand',
    'right_clavicle', 'right_shoulder', 'right_elbow', 'right_wrist', 'right_hand',
    'left_hip', 'left_knee', 'left_ankle', 'left_foot', 'left_toe', 'right_hip',
    'right_knee', 'right_ankle', 'right_foot', 'right_toe',
]  # fmt: skip
NAMES_17 = [
    'head_top', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder',
    'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle', 'left_hip',
    'left_knee', 'left_ankle', 'pelvis', 'spine', 'head',
]  # fmt: skip
CAMERAS_OF_PSTMO = ('0', '1', '2', '4', '5', '6', '7', '8')


def person(frames: int, seed: int) -> np.ndarray:
    """Someone who trembles three to five metres before the camera, (T, 17, 3) mm."""
    random = np.random.default_rng(seed)
    place = np.array([0, 0, 4000]) + random.uniform(-500, 500, 3)
    return STANDING + place + random.normal(0, 15, (frames, 17, 3))


def seen(points: np.ndarray, size: tuple[int, int] = (2048, 2048)) -> np.ndarray:
    """Pixels of points, (..., 2)."""
    return 1500 * points[..., :2] / points[..., 2:] + np.array(size) / 2


def image_size_of(subject: str) -> tuple[int, int]:
    return (1920, 1080) if subject in ('TS5', 'TS6') else (2048, 2048)


def pstmo_data(frames: int = 8) -> tuple[dict, dict]:
    """What P-STMO's two files hold under ``data``; every third test frame is valid."""
    train, test = {}, {}
    for subject in range(1, 9):
        for sequence in (1, 2):
            views = {}
            for camera in CAMERAS_OF_PSTMO:
                pose = person(frames, 1000 * subject + 100 * sequence + int(camera))
                views[camera] = {'data_2d': seen(pose), 'data_3d': pose}
            train[f'S{subject} Seq{sequence}'] = [views, 25]
    for number in range(1, 7):
        subject = f'TS{number}'
        pose = person(frames, number)
        test[subject] = {
            'data_2d': seen(pose, image_size_of(subject)),
            'data_3d': pose,
            'valid': (np.arange(frames) % 3 == 1).astype(np.float64),
        }
    return train, test


def pstmo_files(
    root: Path, train: dict | None = None, test: dict | None = None
) -> Path:
    for name, data in (('train', train), ('test', test)):
        if data is not None:
            save_objects(root / f'data_{name}_3dhp.npz', data=data)
    return root


def pair_data(frames: int = 8, cameras: int = 14) -> tuple[dict, dict]:
    """``positions_3d``, absolute, metres, and ``positions_2d`` of the pair."""
    world, screen = {}, {}
    for s, subject in enumerate((*(f'S{n}' for n in range(1, 9)), 'TS1', 'TS5')):
        clips = ('Test',) if subject.startswith('TS') else ('Seq1', 'Seq2')
        world[subject], screen[subject] = {}, {}
        for c, clip in enumerate(clips):
            count = 1 if clip == 'Test' else cameras
            poses = [person(frames, 1000 * s + 100 * c + n) for n in range(count)]
            size = image_size_of(subject)
            world[subject][clip] = [(p / 1000).astype(np.float32) for p in poses]
            screen[subject][clip] = [seen(p, size).astype(np.float32) for p in poses]
    return world, screen


def relative_to_head_top(world: dict) -> dict:
    """As the known files are: joint 0 stays, the others are counted from it."""
    return {
        subject: {
            clip: [np.concatenate([v[:, :1], v[:, 1:] - v[:, :1]], 1) for v in views]
            for clip, views in clips.items()
        }
        for subject, clips in world.items()
    }


def pair_files(root: Path, world: dict, screen: dict) -> Path:
    save_objects(root / 'data_3d_mpi_inf_3dhp.npz', positions_3d=world)
    save_objects(
        root / 'data_2d_mpi_inf_3dhp_gt.npz',
        positions_2d=screen,
        metadata={'num_joints': 17},
    )
    return root
