"""Small data in the official forms, and configs that run on it in a second."""

import signal
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from sealpose.apis.config import load_config
from sealpose.datasets.human36m import MOVING_JOINTS

ROOT = Path(__file__).parents[1]
H36M_CLIPS = ('Directions', 'Walking 1', 'Walking 2')
H36M_LEFT = [4, 5, 6, 11, 12, 13]
H36M_RIGHT = [1, 2, 3, 14, 15, 16]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_signals():
    """Undo what a run leaves behind that a test stops in the middle."""
    numbers = (signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def walking_joints(frames: int, seed: int = 0) -> np.ndarray:
    """A crude moving person: (T, 17, 3) metres, Z up, right joints at x < 0."""
    rest = np.array([
        [0, 0, 0.9],
        [-0.12, 0, 0.9], [-0.12, 0, 0.5], [-0.12, 0, 0.1],
        [0.12, 0, 0.9], [0.12, 0, 0.5], [0.12, 0, 0.1],
        [0, 0, 1.15], [0, 0, 1.4], [0, -0.1, 1.5], [0, 0, 1.65],
        [0.17, 0, 1.4], [0.17, 0, 1.1], [0.17, 0, 0.85],
        [-0.17, 0, 1.4], [-0.17, 0, 1.1], [-0.17, 0, 0.85],
    ])  # fmt: skip
    random = np.random.default_rng(seed)
    steps = random.normal(0, 0.005, (frames, 17, 3)).cumsum(0)
    return (rest + steps).astype(np.float32)


def save_objects(path: Path, **entries: object) -> None:
    """Write an npz the way the community does: nested dicts as object arrays."""
    np.savez_compressed(
        path, **{name: np.array(value, dtype=object) for name, value in entries.items()}
    )


def h36m_files(root: Path, frames: int = 40, extra_2d: int = 3) -> Path:
    """Write both Human3.6M files with short clips; the 2D tracks are longer."""
    root.mkdir(parents=True, exist_ok=True)
    positions_3d, positions_2d = {}, {}
    for s, subject in enumerate(('S1', 'S5', 'S6', 'S7', 'S8', 'S9', 'S11')):
        positions_3d[subject], positions_2d[subject] = {}, {}
        for c, clip in enumerate(H36M_CLIPS):
            world = np.zeros((frames, 32, 3), np.float32)
            world[:, MOVING_JOINTS] = walking_joints(frames, seed=10 * s + c)
            positions_3d[subject][clip] = world
            random = np.random.default_rng(100 * s + c)
            positions_2d[subject][clip] = [
                random.uniform(300, 700, (frames + extra_2d, 17, 2)).astype(np.float32)
                for _ in range(4)
            ]
    metadata = dict(
        layout_name='h36m', num_joints=17, keypoints_symmetry=[H36M_LEFT, H36M_RIGHT]
    )
    save_objects(root / 'data_3d_h36m.npz', positions_3d=positions_3d)
    for keypoints in ('gt', 'cpn_ft_h36m_dbb'):
        save_objects(
            root / f'data_2d_h36m_{keypoints}.npz',
            positions_2d=positions_2d,
            metadata=metadata,
        )
    return root


@pytest.fixture(scope='session')
def h36m_root(tmp_path_factory) -> Path:
    return h36m_files(tmp_path_factory.mktemp('h36m'))


@pytest.fixture(autouse=True)
def plain_config_text(monkeypatch):
    """Write configs without line breaks: yapf takes most of the time of a tiny run."""
    monkeypatch.setattr(
        'mmengine.config.config.FormatCode', lambda text, **_: (text, True)
    )


run_number = count()
TINY_RUN = {
    'train_dataloader.batch_size': 32,
    'train_dataloader.dataset.frames': 80,
    'val_dataloader.dataset.frames': 40,
    'test_dataloader.dataset.frames': 40,
    'model.backbone.channels': 16,
    'train_cfg.max_epochs': 2,
    'train_cfg.val_interval': 2,
    'default_hooks.logger.interval': 2,
}
SMALL_LOSS_NET = dict(type='GraphLossNet', embed_dims=16, num_heads=2, depth=2)


@pytest.fixture
def tiny_cfg(tmp_path):
    """Load a config on ``sample`` data, made so small that it trains in a second."""

    def load(name: str, work_dir: str = 'run', **options: object) -> Config:
        cfg = load_config(
            ROOT / name, str(tmp_path / work_dir), {**TINY_RUN, **options}
        )
        # mmengine tells runs apart by name and second.
        cfg.experiment_name = f'{work_dir}_{next(run_number)}'
        for hook in cfg.get('custom_hooks', []):
            # The energy acts at once: these runs are over before any warm-up.
            hook.loss_net, hook.warmup_iters = SMALL_LOSS_NET, 0
        return cfg

    return load
