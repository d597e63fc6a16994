"""The order of sharded windows: random, exact, the same wherever it is computed."""

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from itertools import chain, islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from sealpose.datasets import shard_sampler
from sealpose.datasets.permutation import Permutation
from sealpose.datasets.shard_sampler import ShardSampler
from sealpose.datasets.sharded_poses import ShardedPoses
from sealpose.datasets.window_dataset import take_batch
from tests.conftest import ROOT
from tests.test_datasets.test_shards import write

SIZES = (40, 10, 25, 25, 37)


@pytest.fixture
def ranks(monkeypatch):
    """Build the samplers of all processes of a run."""

    def build(world=1, sizes=SIZES, **options):
        samplers = []
        data = SimpleNamespace(
            shard_sizes=torch.tensor(sizes), check_open_shards=lambda wanted: None
        )
        for rank in range(world):
            monkeypatch.setattr(
                shard_sampler, 'get_dist_info', lambda r=rank: (r, world)
            )
            samplers.append(ShardSampler(data, **{'seed': 0, **options}))
        return samplers

    return build


def epoch(sampler, number=0):
    sampler.set_epoch(number)
    indices = list(sampler)
    assert len(indices) == len(sampler)
    return indices


@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 63, 64, 65, 1000, 70_001])
def test_permutations_are_bijections(size):
    mapped = Permutation(size, 1, 2)(np.arange(size))
    assert np.array_equal(np.sort(mapped), np.arange(size))
    part = Permutation(size, 1, 2)(np.arange(size)[size // 2 :])
    assert np.array_equal(part, mapped[size // 2 :])


def test_permutations_are_random():
    """Value by place, in 10 bins each, over 200 keys: chi-squared with 81 degrees."""
    table = np.zeros((10, 10))
    for key in range(200):
        values = Permutation(1000, key)(np.arange(1000))
        np.add.at(table, (np.arange(1000) // 100, values // 100), 1)
    statistic = ((table - 2000) ** 2 / 2000).sum()
    assert 40 < statistic < 140
    # Neighbours are a third of the range apart on average, and not correlated.
    values = Permutation(100_000, 7)(np.arange(100_000))
    assert np.abs(np.diff(values)).mean() / 100_000 == pytest.approx(1 / 3, abs=0.01)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.02


@pytest.mark.parametrize('shards_at_once', [None, 1, 2, 3, 5, 9])
@pytest.mark.parametrize('world', [1, 2, 3, 5])
def test_all_processes_together_make_exactly_one_pass(ranks, world, shards_at_once):
    samplers = ranks(world, shards_at_once=shards_at_once, round_up=False)
    for number in range(3):
        shares = [epoch(sampler, number) for sampler in samplers]
        assert sorted(chain(*shares)) == list(range(sum(SIZES)))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_rounding_up_goes_on_with_the_next_pass(ranks):
    """137 windows, 4 processes, 35 each: 140 an epoch, the 3 more are of the next."""
    samplers = ranks(4)
    stream = []
    for number in range(137):
        shares = [epoch(sampler, number) for sampler in samplers]
        assert {len(share) for share in shares} == {35}
        stream += [index for step in zip(*shares, strict=True) for index in step]
    passes = [stream[i : i + 137] for i in range(0, len(stream), 137)]
    assert len(passes) == 140
    assert all(sorted(one) == list(range(137)) for one in passes)


@pytest.mark.parametrize('shards_at_once', [None, 2])
def test_order_is_a_function_of_seed_and_epoch(ranks, shards_at_once):
    def draw(seed, number):
        (sampler,) = ranks(seed=seed, shards_at_once=shards_at_once)
        return tuple(epoch(sampler, number))

    assert draw(0, 1) == draw(0, 1)
    assert len({draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1)}) == 4
    (sampler,) = ranks(shards_at_once=shards_at_once)
    # What came before does not matter: a resumed run goes on in the same order.
    next(iter(sampler))
    assert tuple(epoch(sampler, 1)) == draw(0, 1)


def test_endless_order_joins_the_passes(ranks):
    samplers = ranks(2, endless=True)
    shares = [list(islice(sampler, 137)) for sampler in samplers]
    stream = [index for step in zip(*shares, strict=True) for index in step]
    assert sorted(stream[:137]) == sorted(stream[137:]) == list(range(137))
    assert stream[:137] != stream[137:]


def test_chunks_do_not_show(ranks, monkeypatch):
    (sampler,) = ranks(shards_at_once=2)
    expected = epoch(sampler, 3)
    monkeypatch.setattr(shard_sampler, 'CHUNK', 5)
    assert epoch(sampler, 3) == expected


def test_blocks_take_few_shards_at_a_time(ranks):
    (sampler,) = ranks(shards_at_once=2)
    owner = np.repeat(np.arange(5), SIZES)[epoch(sampler)]
    firsts = [int(np.flatnonzero(owner == shard)[0]) for shard in range(5)]
    lasts = [int(np.flatnonzero(owner == shard)[-1]) for shard in range(5)]
    for place in range(len(owner)):
        present = sum(f <= place <= e for f, e in zip(firsts, lasts, strict=True))
        assert present <= 2
    # The shards that come first differ from epoch to epoch.
    order = np.repeat(np.arange(5), SIZES)
    assert len({order[epoch(sampler, e)[0]] for e in range(20)}) > 2


def test_every_window_comes_everywhere(ranks):
    """The first window of an epoch, over 4000 epochs of 20 windows in blocks."""
    (sampler,) = ranks(sizes=(5, 5, 5, 5), shards_at_once=2)
    counts = Counter(
        int(sampler.order(number, np.array([0]))[0]) for number in range(4000)
    )
    statistic = sum((counts[i] - 200) ** 2 / 200 for i in range(20))
    assert statistic < 50


def test_in_order_without_shuffling(ranks):
    (sampler,) = ranks(shuffle=False)
    assert epoch(sampler) == list(range(137))


def test_more_shards_at_once_than_open_are_refused(tmp_path):
    write(tmp_path)
    data = ShardedPoses(tmp_path, open_shards=2)
    with pytest.raises(ValueError, match='from 3 shards at once, .* keeps 2 open'):
        ShardSampler(data, seed=0, shards_at_once=3)


def test_workers_change_nothing(tmp_path):
    write(tmp_path)
    data = ShardedPoses(tmp_path, open_shards=2, input_frames=3)
    sampler = ShardSampler(data, seed=0, shards_at_once=2)

    def batches(workers):
        return list(
            DataLoader(data, 8, False, sampler, None, workers, collate_fn=take_batch)
        )

    for one, other in zip(batches(0), batches(2), strict=True):
        for name in one:
            assert torch.equal(one[name], other[name])


def test_two_processes_of_a_launcher_share_a_pass(tmp_path):
    write(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', textwrap.dedent(ONE_RANK), str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, 'RANK': str(rank), 'WORLD_SIZE': '2'},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    lines = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    first, second = (json.loads(line[-1]) for line in lines)
    # 67 frames, each a window; the one more is the first of the next pass.
    assert len(first) == len(second) == 34
    stream = [index for step in zip(first, second, strict=True) for index in step]
    assert sorted(stream[:67]) == list(range(67))


ONE_RANK = """
    import json, os, sys
    import torch.distributed
    from mmengine.runner import Runner
    from sealpose.datasets.sharded_poses import ShardedPoses

    folder, rank = sys.argv[1], int(os.environ['RANK'])
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=2
    )
    loader = Runner.build_dataloader(
        dict(
            dataset=ShardedPoses(folder, input_frames=3),
            sampler=dict(type='sealpose.ShardSampler'),
            batch_size=8,
            num_workers=0,
            collate_fn=dict(type='sealpose.take_batch'),
        ),
        seed=5,
    )
    frames = [int(f) for batch in loader for f in batch['frame_idx'][:, 0]]
    print(json.dumps(frames), flush=True)
    # Not every torch gets through the interpreter's exit after gloo.
    os._exit(0)
"""
