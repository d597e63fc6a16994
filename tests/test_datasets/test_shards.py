"""Shards: the windows of the data set that they were written from, whatever is open."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch

from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.shard_files import write_shards
from sealpose.datasets.sharded_poses import ShardedPoses
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.registry import TRANSFORMS
from sealpose.skeletons import H36M17
from tests.conftest import ROOT

LENGTHS = (5, 9, 1, 12, 3, 30, 7)


def sequences(broken: bool = False):
    """Frame t of sequence s holds 1000 s + t; with broken, some frames are invalid."""
    for number, frames in enumerate(LENGTHS):
        values = 1000.0 * number + torch.arange(float(frames))[:, None, None]
        valid = None
        if broken and number in (1, 3, 5):
            valid = torch.arange(frames) % 7 != 3
        yield PoseSequence(
            values.expand(-1, 17, 2).contiguous(),
            values.expand(-1, 17, 3).contiguous(),
            subject='S1',
            action='Walking' if number % 2 else 'Sitting',
            clip=str(number),
            camera='cam0',
            valid=valid,
        )


class Whole(WindowDataset):
    def __init__(self, split, broken=False, **window):
        self.split, self.broken = split, broken
        super().__init__('h36m17', **window)

    def load_sequences(self):
        return sequences(self.broken)


def write(root, split='train', broken=False, shard_frames=12):
    meta = dict(dataset='Whole')
    return write_shards(sequences(broken), root / split, H36M17, shard_frames, meta)


@pytest.fixture
def root(tmp_path):
    write(tmp_path)
    return tmp_path


def everything(data, batch=4):
    parts = [data.__getitems__(i) for i in torch.arange(len(data)).split(batch)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


WINDOWS = [
    dict(input_frames=3),
    dict(input_frames=4, output_frames=4),
    dict(input_frames=5, output_frames=3, stride=1, target_frames=5),
]


@pytest.mark.parametrize('window', WINDOWS)
@pytest.mark.parametrize('split', ['train', 'test'])
@pytest.mark.parametrize('broken', [False, True])
def test_the_same_windows_as_the_source(tmp_path, window, split, broken):
    index = write(tmp_path, split, broken)
    # A shard ends with the sequence that fills it: 5 + 9, 1 + 12, 3 + 30, 7.
    assert [shard.frames for shard in index.shards] == [14, 13, 33, 7]
    expected = Whole(split, broken, **window)
    data = ShardedPoses(tmp_path, split, open_shards=2, **window)
    assert len(data) == len(expected)
    assert data.shard_sizes.sum() == len(expected)
    assert data.metainfo == expected.metainfo
    for name, value in everything(expected).items():
        assert torch.equal(everything(data)[name], value), name
    # In any order, with windows of all shards in a batch.
    mixed = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    for name, value in expected.gather(mixed).items():
        assert torch.equal(data.gather(mixed)[name], value), name


def test_no_more_shards_are_open_than_wanted(root):
    data = ShardedPoses(root, open_shards=2, input_frames=3)
    everything(data)
    data.gather(torch.arange(len(data)))
    assert len(data._open) == 2


def test_sequences_come_back(root):
    found = list(ShardedPoses(root).load_sequences())
    for ours, theirs in zip(found, sequences(), strict=True):
        assert str(ours) == str(theirs)
        assert torch.equal(ours.keypoints_3d, theirs.keypoints_3d)
    with pytest.raises(AttributeError, match=r'load_sequences\(\) reads them'):
        _ = ShardedPoses(root).store


@TRANSFORMS.register_module(force=True)
class ShiftForShards:
    def __call__(self, keypoints_2d, generator):
        return keypoints_2d + torch.rand(1, generator=generator)


def test_transforms_draw_the_same_as_without_shards(root):
    options = dict(transforms=[dict(type='ShiftForShards')], seed=3)
    expected = everything(Whole('train', **options))['keypoints_2d']
    data = ShardedPoses(root, open_shards=1, **options)
    assert torch.equal(everything(data)['keypoints_2d'], expected)
    assert not torch.equal(expected, everything(Whole('train'))['keypoints_2d'])


def test_a_writer_that_broke_off_leaves_nothing_to_read(tmp_path):
    def breaking():
        yield from sequences()
        raise OSError('No space left on device')

    with pytest.raises(OSError, match='No space'):
        write_shards(breaking(), tmp_path / 'train', H36M17, 12, {})
    with pytest.raises(FileNotFoundError, match='no finished shards'):
        ShardedPoses(tmp_path)
    write(tmp_path)
    assert len(ShardedPoses(tmp_path)) == sum(LENGTHS)
    assert len(list((tmp_path / 'train').iterdir())) == 4 + 1
    with pytest.raises(FileExistsError, match='already holds finished shards'):
        write(tmp_path)


def cut_an_array(folder):
    path = folder / 'shard-00002' / 'keypoints_3d.npy'
    path.write_bytes(path.read_bytes()[:-40])


def lose_a_shard(folder):
    (folder / 'shard-00002' / 'index.json').unlink()


def exchange_shards(folder):
    (folder / 'shard-00002').rename(folder / 'aside')
    (folder / 'shard-00001').rename(folder / 'shard-00002')
    (folder / 'aside').rename(folder / 'shard-00001')


def exchange_arrays(folder):
    first, second = (folder / f'shard-0000{i}' / 'keypoints_2d.npy' for i in (1, 2))
    second.write_bytes(first.read_bytes())


def garble(folder):
    (folder / 'index.json').write_text('{"version": 1, "shards": [{}]}')


def another_version(folder):
    (folder / 'index.json').write_text('{"version": 7}')


def no_sequences(folder):
    (folder / 'shard-00001' / 'index.json').write_text('{"sequences": [3]}')


@pytest.mark.parametrize(
    'damage, message',
    [
        (cut_an_array, r'shard-00002.keypoints_3d\.npy cannot be mapped'),
        (lose_a_shard, r'shard-00002.index\.json cannot be read'),
        (exchange_shards, r'shard-00001.index\.json describes .*\(33, 33\)'),
        (exchange_arrays, r'shard-00002.keypoints_2d\.npy holds float32 \(13, 17, 2\)'),
        (garble, r'index\.json is not an index of shards'),
        (another_version, r'index\.json has version 7'),
        (no_sequences, r'shard-00001.index\.json does not describe sequences'),
    ],
)
def test_damaged_shards_are_named(root, damage, message):
    damage(root / 'train')
    with pytest.raises(ValueError, match=message):
        everything(ShardedPoses(root))


def test_windows_without_valid_truth_are_refused(tmp_path):
    write(tmp_path)
    one = next(sequences())
    never = PoseSequence(**{**vars(one), 'valid': torch.arange(5) % 2 == 0})
    write_shards([never], tmp_path / 'val', H36M17, 12, dict(dataset='W'))
    (tmp_path / 'val').rename(tmp_path / 'few')
    data = ShardedPoses(tmp_path, 'few', input_frames=2, output_frames=2)
    assert len(data) == 3
    (tmp_path / 'train').rename(tmp_path / 'old')
    (tmp_path / 'few').rename(tmp_path / 'train')
    with pytest.raises(ValueError, match='none of the 3 windows has 2 valid frames'):
        ShardedPoses(tmp_path, input_frames=2, output_frames=2)


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize('shards_at_once', [None, 2])
def test_shards_larger_than_all_memory_that_is_left(tmp_path, shards_at_once):
    """RLIMIT_AS counts maps of files too, so only a few shards can ever be mapped."""
    size, left, seen, failure = run(
        READ_IN_LITTLE_MEMORY, tmp_path, json.dumps(shards_at_once)
    )
    assert seen == 25_000
    assert size > 2 * left
    # With all of them open it fails: the limit is real.
    assert 'cannot be mapped: [Errno 12]' in failure


READ_IN_LITTLE_MEMORY = r"""
    import json, re, resource, sys
    from pathlib import Path
    import torch
    from sealpose.datasets import PoseSequence
    from sealpose.datasets.shard_files import write_shards
    from sealpose.datasets.shard_sampler import ShardSampler
    from sealpose.datasets.sharded_poses import ShardedPoses
    from sealpose.skeletons import H36M17

    torch.set_num_threads(1)
    folder, shards_at_once = Path(sys.argv[1]), json.loads(sys.argv[2])


    def large():
        for clip in range(100):
            pose = torch.full((1000, 17, 3), float(clip))
            names = dict(subject='S', action='A', clip=str(clip), camera='C')
            yield PoseSequence(pose[..., :2], pose, **names)


    write_shards(large(), folder / 'train', H36M17, 5000, dict(dataset='L'))
    data = ShardedPoses(folder, open_shards=2, input_frames=9, stride=4)
    sampler = ShardSampler(data, seed=0, shards_at_once=shards_at_once)
    weight = torch.zeros(2, 3, requires_grad=True)


    def epoch(batches):
        seen = set()
        for indices in batches:
            indices = torch.tensor(indices)
            batch = data.__getitems__(indices)
            truth = batch['keypoints_3d']
            assert torch.equal(truth[:, 0, 0, 0], (indices // 250).float())
            loss = (batch['keypoints_2d'][:, 4:5] @ weight - truth).square().mean()
            loss.backward()
            seen.update(batch['frame_idx'][:, 0].tolist())
        return len(seen)


    def batches(size, most=None):
        indices = list(sampler)[:most]
        return [indices[i : i + size] for i in range(0, len(indices), size)]


    epoch(batches(500, 2000))
    order = batches(500)
    status = Path('/proc/self/status').read_text()
    now = 1024 * int(re.search(r'VmSize:\s+(\d+)', status)[1])
    left = 15_000_000
    resource.setrlimit(resource.RLIMIT_AS, (now + left, now + left))
    seen = epoch(order)
    size = sum(path.stat().st_size for path in folder.rglob('*.npy'))
    failure = None
    try:
        ShardedPoses(folder, open_shards=20).gather(torch.arange(0, 100_000, 1000))
    except ValueError as error:
        failure = str(error)
    print(json.dumps([size, left, seen, failure]))
"""
