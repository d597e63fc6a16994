"""Batches of labelled and unlabelled windows."""

from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from sealpose.datasets.samplers import FewLabelsBatchSampler

WINDOWS, LABELLED = 50, set(range(3, 13))


def batches(epoch=0, rank=0, world_size=1, seed=0, batch_size=8, **kwargs):
    labelled = torch.zeros(WINDOWS, dtype=torch.bool)
    labelled[sorted(LABELLED)] = True
    dataset = SimpleNamespace(
        labelled=labelled, num_source_windows=WINDOWS, summary='all'
    )
    sampler = SimpleNamespace(
        dataset=dataset, seed=seed, epoch=epoch, rank=rank, world_size=world_size
    )
    return list(FewLabelsBatchSampler(sampler, batch_size, **kwargs))


def test_labelled_windows_come_first_in_a_fixed_number():
    found = batches(labelled=3)
    assert len(found) == 7  # 50 windows in batches of 8
    for batch in found:
        assert len(batch) == 8
        assert set(batch[:3]) <= LABELLED
        assert not set(batch[3:]) & LABELLED


def test_labels_alone_are_the_same_windows_in_the_same_order():
    mixed = [batches(epoch, labelled=0.25) for epoch in range(3)]
    alone = [batches(epoch, labelled=0.25, unlabelled=False) for epoch in range(3)]
    assert alone == [[batch[:2] for batch in epoch] for epoch in mixed]


def test_every_window_of_a_stream_comes_equally_often():
    run = [batch for epoch in range(10) for batch in batches(epoch, labelled=3)]
    labelled = Counter(i for batch in run for i in batch[:3])
    rest = Counter(i for batch in run for i in batch[3:])
    # 210 labelled places for 10 windows, 350 others for 40.
    assert set(labelled.values()) == {21}
    assert len(rest) == 40
    assert set(rest.values()) <= {8, 9}
    orders = [tuple(run[5 * i + j][:2]) for i in range(5) for j in range(5)]
    assert len(set(orders)) > 10


def test_order_depends_on_seed_and_epoch_alone():
    assert batches(4) == batches(4)
    assert batches(4) != batches(5)
    assert batches(4) != batches(4, seed=1)


def test_two_processes_share_what_one_would_take():
    for epoch in range(3):
        one = batches(epoch, batch_size=8, labelled=4)
        first, second = (batches(epoch, r, 2, batch_size=4, labelled=2) for r in (0, 1))
        assert len(first) == len(second) == len(one)
        for whole, a, b in zip(one, first, second, strict=True):
            assert whole == a[:2] + b[:2] + a[2:] + b[2:]


def test_fewer_labels_than_a_batch_takes_repeat_evenly():
    batch = batches(labelled=25, batch_size=30)[0]
    assert sorted(Counter(batch[:25]).values()) == [2] * 5 + [3] * 5


def test_length_of_an_epoch_can_be_set():
    assert len(batches(num_batches=3)) == 3
    first = [i for e in range(2) for b in batches(e, num_batches=3) for i in b[:4]]
    second = [i for b in batches(num_batches=6) for i in b[:4]]
    assert first == second


@pytest.mark.parametrize('labelled', [0, 9, 0.01, 1.5])
def test_impossible_numbers_are_refused(labelled):
    with pytest.raises(ValueError, match='labelled must leave 1 to 8'):
        batches(labelled=labelled)


def test_plain_data_are_refused():
    with pytest.raises(TypeError, match='data set of type FewLabels, but got list'):
        FewLabelsBatchSampler(SimpleNamespace(dataset=[]), 8)
