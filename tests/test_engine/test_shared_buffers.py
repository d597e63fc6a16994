import os
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sealpose.engine.hooks import SharedBuffersHook, shared_buffers

from .runs import in_child


def one_process(rank, folder):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meeting', rank=rank, world_size=2
    )
    model = nn.Sequential(nn.BatchNorm1d(3))
    with torch.no_grad():
        model[0].weight.fill_(rank)
    for _ in range(1 + rank):
        model(torch.randn(5, 3) + 10 * rank)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    SharedBuffersHook().before_val_epoch(SimpleNamespace(model=model))
    torch.save((before, model.state_dict()), folder / f'{rank}.pth')
    os._exit(0)


def test_all_processes_validate_with_the_statistics_of_the_main_one(tmp_path):
    children = [in_child(one_process, rank, tmp_path) for rank in range(2)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    (first, first_after), (second, second_after) = (
        torch.load(tmp_path / f'{rank}.pth') for rank in range(2)
    )
    for name in ('0.running_mean', '0.running_var', '0.num_batches_tracked'):
        assert not torch.equal(first[name], second[name])
        assert torch.equal(second_after[name], first[name])
        assert torch.equal(first_after[name], first[name])
    # Weights are none of its business.
    assert (second_after['0.weight'] == 1).all()


@pytest.mark.parametrize(
    'losses', [None, nn.ModuleDict(), nn.ModuleDict({'bone': nn.ReLU()})]
)
def test_in_training_only_what_learns_through_the_statistics(losses, monkeypatch):
    shared = []
    monkeypatch.setattr(shared_buffers, 'share_buffers', shared.append)
    model = nn.BatchNorm1d(3)
    if losses is not None:
        model.losses_at_inference = losses
    SharedBuffersHook().before_train_iter(SimpleNamespace(model=model), 0)
    assert shared == ([model] if losses else [])


def test_one_process_alone_has_nothing_to_share():
    model = nn.BatchNorm1d(3)
    SharedBuffersHook().before_val_epoch(SimpleNamespace(model=model))
    assert (model.running_mean == 0).all()
