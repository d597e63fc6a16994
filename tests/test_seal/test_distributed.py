"""Several processes train as one does with the same global batch."""

import pytest
import torch

from .distributed_worker import MATRIX, RANDOM, RUNS, run_all, start_process

WORLDS = (2, 4)
# Every run of the matrix makes so many, with accumulation in twice the iterations.
UPDATES = 3
HALF_ULP = torch.finfo(torch.float32).eps / 2

pytestmark = pytest.mark.filterwarnings('ignore')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Results by (number of processes, rank), then by name of the run."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('distributed')
    # Alone first: what this imports, the others need not.
    results = {(1, 0): run_all(0, 1, folder)}
    ranks = [(world, rank) for world in WORLDS for rank in range(world)]
    processes = [start_process(rank, world, folder) for world, rank in ranks]
    for process in processes:
        process.join(240)
    assert [process.exitcode for process in processes] == [0] * len(ranks)
    for world, rank in ranks:
        results[world, rank] = torch.load(folder / f'{world}_{rank}.pth')
    return results


def flat(weights):
    return torch.cat([value.flatten().double() for value in weights.values()])


def assert_equal_everywhere(trained, world, name, parts=('pose', 'seal', 'balance')):
    """Fail if a process has weights, or a balance, that another has not."""
    first = trained[world, 0][name]
    for rank in range(1, world):
        for part in parts:
            for key, value in first[part].items():
                other = trained[world, rank][name][part][key]
                assert torch.equal(value, other), f'{part} of process {rank}: {key}'


@pytest.mark.parametrize('part', ['pose', 'seal'])
@pytest.mark.parametrize('world', WORLDS)
@pytest.mark.parametrize('name', MATRIX, ids=str)
def test_processes_train_like_one(trained, name, world, part):
    """Up to rounding, in the norm over all weights of a network."""
    one, several = (flat(trained[n, 0][name][part]) for n in (1, world))
    update = (one - flat(trained[1, 0][name]['start'][part])).norm()
    if name[0] == 'fp32':
        # Each of both runs rounds every weight to the nearest float in every update;
        # the gradients' own rounding is as much smaller as updates are than weights.
        tolerance = 2 * UPDATES * HALF_ULP * one.norm()
    else:
        # Gradients of the weights are rounded to 8 bits in every process for itself,
        # and the sums in them cancel. How far that leads is what it does to the one
        # process, compared with fp32; each of both runs is so far from the exact one.
        exact = flat(trained[1, 0][('fp32', *name[1:])][part])
        tolerance = 2 * (one - exact).norm()
    assert (several - one).norm() <= tolerance
    # A gradient that is not averaged, or scaled wrongly, is off by half an update.
    assert tolerance < update / 4


@pytest.mark.parametrize('name', RUNS)
def test_processes_do_what_one_does_with_every_option(trained, name):
    one, first = (trained[world, 0][name,] for world in (1, 2))
    for part in ('pose', 'seal'):
        for key, value in one[part].items():
            torch.testing.assert_close(value, first[part][key], rtol=0, atol=1e-6)


@pytest.mark.parametrize('name', RUNS)
def test_processes_weigh_the_energy_like_one(trained, name):
    """Each has the gradients of means over its own half of the batch."""
    one, first = (trained[world, 0][name,]['balance']['running'] for world in (1, 2))
    assert (one > 0).all()
    torch.testing.assert_close(first, one, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ('world', 'name'),
    [(world, name) for world in WORLDS for name in MATRIX]
    + [(2, (name,)) for name in (*RUNS, *RANDOM)],
    ids=str,
)
def test_processes_do_not_drift_apart(trained, world, name):
    assert_equal_everywhere(trained, world, name)


def test_a_drift_of_one_process_would_be_found(trained):
    """One has a millionth added to some loss-net weights, in the first iteration."""
    with pytest.raises(AssertionError, match='seal of process 1'):
        assert_equal_everywhere(trained, 2, ('drifted',))
    # The pose-nets would not show it: their gradients are averaged all the same.
    assert_equal_everywhere(trained, 2, ('drifted',), ['pose'])


def test_the_runs_differ_from_each_other(trained):
    """What they compare matters: no run is a copy of another."""
    first = trained[2, 0]
    names = [*MATRIX, *((name,) for name in (*RUNS, *RANDOM))]
    weights = [flat(first[name]['seal']) for name in names]
    for i, one in enumerate(weights):
        assert all((one - other).abs().max() > 1e-5 for other in weights[:i])
