"""The cache of a data set's arrays: exact, never stale, repaired when damaged."""

import errno
import io
import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch

from sealpose.datasets.cache import CACHE_FOLDER
from sealpose.datasets.human36m import Human36M
from tests.conftest import ROOT, h36m_files


@pytest.fixture
def root(tmp_path):
    return h36m_files(tmp_path / 'h36m', frames=8)


@pytest.fixture
def warnings(monkeypatch):
    found = []
    monkeypatch.setattr(
        'sealpose.datasets.cache.print_log', lambda message, **_: found.append(message)
    )
    return found


def caches(root):
    return sorted((root / CACHE_FOLDER).iterdir())


def assert_same(a, b):
    assert torch.equal(a.store.keypoints_2d, b.store.keypoints_2d)
    assert torch.equal(a.store.keypoints_3d, b.store.keypoints_3d)
    assert torch.equal(a.store.valid, b.store.valid)
    assert a.metainfo == b.metainfo


def test_second_start_maps_the_same_values(root):
    plain = Human36M(str(root), split='test', cache=False)
    assert not (root / CACHE_FOLDER).exists()
    first = Human36M(str(root), split='test')
    assert len(caches(root)) == 1
    written = caches(root)[0].stat().st_mtime_ns
    second = Human36M(str(root), split='test')
    assert caches(root)[0].stat().st_mtime_ns == written
    assert_same(plain, first)
    assert_same(plain, second)


def test_second_start_reads_no_source(root, monkeypatch):
    Human36M(str(root), split='test')
    monkeypatch.setattr(Human36M, 'load_sequences', lambda self: 1 / 0)
    Human36M(str(root), split='test')


@pytest.mark.parametrize(
    'settings', [dict(split='train'), dict(keypoints='cpn_ft_h36m_dbb')]
)
def test_settings_are_part_of_the_key(root, settings):
    Human36M(str(root), split='test')
    other = Human36M(str(root), **{'split': 'test', **settings})
    assert len(caches(root)) == 2
    plain = Human36M(str(root), **{'split': 'test', **settings}, cache=False)
    assert_same(other, plain)


def test_windows_share_a_cache(root):
    Human36M(str(root), split='test', input_frames=27)
    Human36M(str(root), split='test', input_frames=9, output_frames=9)
    assert len(caches(root)) == 1


def test_a_changed_file_of_the_same_size_and_date_is_noticed(root):
    Human36M(str(root), split='test')
    path = root / 'data_2d_h36m_gt.npz'
    before = path.stat()
    data = bytearray(path.read_bytes())
    other = h36m_files(root / 'other', frames=8) / 'data_2d_h36m_gt.npz'
    changed = other.read_bytes()
    # Another content under the old size and date.
    data[: len(changed)] = changed[: len(data)]
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    try:
        Human36M(str(root), split='test')
    except ValueError:
        return  # The altered bytes no longer are an npz: read, and found out.
    assert len(caches(root)) == 2


def truncate(folder):
    path = folder / 'keypoints_3d.bin'
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(folder):
    path = folder / 'keypoints_2d.bin'
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def lose_a_file(folder):
    (folder / 'valid.bin').unlink()


def garble_the_index(folder):
    (folder / 'index.json').write_text('{"sequences": [')


def empty_the_index(folder):
    (folder / 'index.json').write_text('{}')


def lie_about_the_length(folder):
    index = json.loads((folder / 'index.json').read_text())
    index['sequences'][0]['length'] += 1
    (folder / 'index.json').write_text(json.dumps(index))


def rename_a_subject(folder):
    text = (folder / 'index.json').read_text()
    (folder / 'index.json').write_text(text.replace('"S9"', '"S8"'))


@pytest.mark.parametrize(
    'damage',
    [
        truncate,
        flip_a_bit,
        lose_a_file,
        garble_the_index,
        empty_the_index,
        lie_about_the_length,
        rename_a_subject,
    ],
)
def test_a_damaged_cache_is_built_again(root, damage, warnings):
    plain = Human36M(str(root), split='test', cache=False)
    Human36M(str(root), split='test')
    damage(caches(root)[0])
    repaired = Human36M(str(root), split='test')
    assert ['is damaged' in warning for warning in warnings] == [True]
    assert_same(plain, repaired)
    assert len(caches(root)) == 1
    assert_same(plain, Human36M(str(root), split='test'))


def test_a_folder_that_cannot_be_written_only_costs_the_cache(root, warnings):
    (root / CACHE_FOLDER).write_text('in the way')
    data = Human36M(str(root), split='test')
    assert ['no cache can be written' in warning for warning in warnings] == [True]
    assert_same(data, Human36M(str(root), split='test', cache=False))


def test_two_processes_may_build_it_at_once(root):
    code = f"""
        from sealpose.datasets.human36m import Human36M
        data = Human36M({str(root)!r}, split='train')
        print(float(data.store.keypoints_3d.double().sum()))
    """
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', textwrap.dedent(code)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    sums = {p.communicate()[0].splitlines()[-1] for p in processes}
    assert [p.returncode for p in processes] == [0, 0]
    assert len(sums) == 1
    assert len(caches(root)) == 1
    assert json.loads((caches(root)[0] / 'index.json').read_text())['sequences']


def test_a_process_that_was_slower_takes_nothing_away(root, monkeypatch):
    plain = Human36M(str(root), split='test', cache=False)
    load = Human36M.load_sequences

    def overtaken(self):
        monkeypatch.setattr(Human36M, 'load_sequences', load)
        Human36M(str(root), split='test')
        yield from load(self)

    monkeypatch.setattr(Human36M, 'load_sequences', overtaken)
    assert_same(plain, Human36M(str(root), split='test'))
    assert len(caches(root)) == 1


def test_a_disk_that_runs_full_only_costs_the_cache(root, warnings, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, 'No space left on device')

    def open_full(path, mode, **kwargs):
        return Full() if mode == 'wb' else open(path, mode, **kwargs)

    monkeypatch.setattr('sealpose.datasets.cache.open', open_full, raising=False)
    data = Human36M(str(root), split='test')
    assert ['No space left' in warning for warning in warnings] == [True]
    assert caches(root) == []
    assert_same(data, Human36M(str(root), split='test', cache=False))


def test_data_larger_than_memory_train(tmp_path):
    """The limit counts all memory but maps of files; the data are larger."""
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(TRAIN_IN_LITTLE_MEMORY), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seen, arrays, limit = json.loads(done.stdout.splitlines()[-1])
    assert seen == 240_000
    assert arrays > 1.2 * limit


TRAIN_IN_LITTLE_MEMORY = r"""
    import json, re, resource, sys
    from pathlib import Path
    import torch
    from sealpose.datasets import PoseSequence, WindowDataset

    torch.set_num_threads(1)
    source = Path(sys.argv[1]) / 'seed.txt'
    source.write_text('0')


    class Large(WindowDataset):
        def source_files(self):
            return [source]

        def load_sequences(self):
            for clip in range(120):
                pose = torch.full((2000, 17, 3), float(clip))
                names = dict(subject='S', action='A', clip=str(clip), camera='C')
                yield PoseSequence(pose[..., :2], pose, **names)


    status = Path('/proc/self/status').read_text()
    now = 1024 * int(re.search(r'VmData:\s+(\d+)', status)[1])
    allowed = 64_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (now + allowed, now + allowed))
    data = Large('h36m17', input_frames=9)
    weight = torch.zeros(2, 3, requires_grad=True)
    seen = 0
    for indices in torch.randperm(len(data)).split(1024):
        batch = data.__getitems__(indices)
        truth = batch['keypoints_3d']
        assert torch.equal(truth[:, 0, 0, 0], (indices // 2000).float())
        loss = (batch['keypoints_2d'][:, 4:5] @ weight - truth).square().mean()
        loss.backward()
        seen += len(indices)
    arrays = data.store.keypoints_2d.nbytes + data.store.keypoints_3d.nbytes
    print(json.dumps([seen, arrays, allowed]))
"""
