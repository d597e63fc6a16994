"""The device-resident store, and what else keeps batches from waiting."""

import copy

import pytest
import torch
from torch.utils.data import DataLoader

from sealpose.datasets import device_store
from sealpose.datasets.device_store import on_training_device
from sealpose.datasets.human36m import Human36M
from sealpose.datasets.sample_motion.dataset import SampleMotion
from sealpose.datasets.window_dataset import take_batch

FRAMES = dict(frames=60, input_frames=9, output_frames=3, target_frames=5)


def sample(**options):
    return SampleMotion('train', **FRAMES, **options)


def batches(data, workers=0):
    generator = torch.Generator().manual_seed(0)
    return list(
        DataLoader(
            data,
            16,
            shuffle=True,
            num_workers=workers,
            collate_fn=take_batch,
            generator=generator,
        )
    )


def test_the_same_batches_in_the_same_order():
    ordinary, resident = batches(sample()), batches(sample(device_store=True))
    assert len(ordinary) > 3
    for one, other in zip(ordinary, resident, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert torch.equal(one[name], other[name])


def test_everything_is_gathered_on_the_device(monkeypatch):
    """On the device without memory: an operand left on the CPU would be refused."""
    monkeypatch.setattr(device_store, 'get_device', lambda: 'meta')
    monkeypatch.setattr(device_store, '_check_memory', lambda *_: None)
    data = sample(device_store=True)
    batch = data.__getitems__([0, 5])
    assert {name: value.device.type for name, value in batch.items()} == {
        'keypoints_2d': 'meta',
        'keypoints_3d': 'meta',
        'frame_idx': 'meta',
    }
    assert batch['keypoints_2d'].shape == (2, 9, 17, 2)
    assert batch['keypoints_3d'].shape == (2, 5, 17, 3)
    assert batch['frame_idx'].shape == (2, 3)
    # One window, as the preflight looks at, comes from the host.
    assert data[0]['keypoints_2d'].device.type == 'cpu'


def test_index_of_invalid_frames_moves_too():
    data = sample()
    data.store.valid[3:20] = False
    index = type(data.index)(
        data.store.lengths, data.store.valid, data.index.shape, True
    )
    moved = index.to(torch.device('meta'))
    assert len(moved) == len(index) < len(data)
    assert moved.rows(torch.zeros(4, dtype=torch.int64, device='meta'))[2].is_meta


def test_too_little_memory_is_told_in_numbers(monkeypatch):
    monkeypatch.setattr(device_store, 'get_device', lambda: 'cuda')
    free_and_total = (2**29 + 1000, 2**33)
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda device: free_and_total)
    with pytest.raises(
        MemoryError, match=r'needs .* cuda has 0\.50 GiB free of 8\.00 GiB'
    ):
        sample(device_store=True).__getitems__([0])


def test_worker_processes_are_refused():
    with pytest.raises(RuntimeError, match='set num_workers=0'):
        batches(sample(device_store=True), workers=1)


def test_size_counts_arrays_and_index():
    data = sample()
    arrays = data.store.keypoints_2d.nbytes + data.store.keypoints_3d.nbytes
    sequences = len(data.store.sequences)
    assert device_store.size_of(data._windows) == arrays + 4 * 8 * sequences
    assert on_training_device(data._windows).index is data.index


def test_batches_are_pinned_only_where_a_gpu_is_in_use(monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: True)
    data = sample()
    monkeypatch.setattr(
        data, 'gather', lambda sample_idx, pin=False: pinned.append(pin) or {}
    )
    data.__getitems__([0])
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: False)
    data.__getitems__([0])
    assert pinned == [True, False]


def test_a_copied_data_set_shares_its_arrays(h36m_root):
    """mmengine's Runner deep-copies the data set that it is given."""
    data = Human36M(str(h36m_root), split='test')
    twin = copy.deepcopy(data)
    assert twin.store.keypoints_3d.data_ptr() == data.store.keypoints_3d.data_ptr()
    assert torch.equal(twin[7]['keypoints_3d'], data[7]['keypoints_3d'])
