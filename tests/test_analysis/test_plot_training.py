import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from sealpose.analysis.scalars import Series, match_names, read_run
from tests.scripts import load_script

tool = load_script('tools/analysis_tools/plot_training.py')


def log(folder, start, lines):
    path = folder / start / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(
        ''.join(
            line if isinstance(line, str) else json.dumps(line) + '\n' for line in lines
        )
    )


def train(at, **scalars):
    return dict(**scalars, epoch=1, iter=at, step=at)


def test_a_resumed_run_counts_from_where_it_resumed(tmp_path):
    log(tmp_path, '20260101_100000', [
        train(10, loss=5.0), train(20, loss=4.0), dict(MPJPE=80.0, step=1),
        train(30, loss=9.0), dict(MPJPE=90.0, step=2),
    ])  # fmt: skip
    log(tmp_path, '20260101_110000', [
        train(30, loss=3.0, seal_violated=0.25), dict(MPJPE=70.0, step=2),
    ])  # fmt: skip
    series = read_run(tmp_path)
    assert series['loss'].iters.tolist() == [10, 20, 30]
    assert series['loss'].values.tolist() == [5, 4, 3]
    # The validation counts epochs; it lies at the iteration before it.
    assert series['MPJPE'].iters.tolist() == [20, 30]
    assert series['MPJPE'].values.tolist() == [80, 70]
    assert series['seal_violated'].values.tolist() == [0.25]
    assert not {'step', 'iter', 'epoch'} & series.keys()


def test_a_killed_run_may_end_in_half_a_line(tmp_path):
    log(tmp_path, 'a', [train(1, loss=2.0), '{"loss": 1.'])
    assert read_run(tmp_path)['loss'].values.tolist() == [2]
    assert read_run(tmp_path / 'a/vis_data/scalars.json')['loss'].iters.tolist() == [1]


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (['nonsense\n', train(1, loss=2.0)], 'line 1: expected a JSON object'),
        (['[1, 2]\n', train(1, loss=2.0)], 'line 1: expected a JSON object'),
        ([], 'no training iteration'),
        ([dict(MPJPE=3.0, step=0)], 'no training iteration'),
    ],
)
def test_damaged_logs_are_refused(tmp_path, lines, message):
    log(tmp_path, 'a', lines)
    with pytest.raises(ValueError, match=message):
        read_run(tmp_path)


def test_means_and_parts_by_hand():
    series = Series(np.array([10, 20, 30, 40, 80]), np.array([1.0, 2, 6, 4, 8]))
    assert series.smoothed(1).tolist() == [1, 2, 6, 4, 8]
    # Ends stay; next to them three points, in the middle five.
    assert series.smoothed(5).tolist() == [1, 3, 4.2, 6, 8]
    # Quarters of 80 iterations: up to 20, 40, 60 and 80.
    *means, last = series.part_means(4, 80)
    assert means[:2] == [1.5, 5] and math.isnan(means[2]) and last == 8


def test_names_by_pattern():
    names = ['loss', 'loss_pose', 'seal_violated', 'lr', 'loss']
    assert match_names(['seal_*', 'loss*'], names) == [
        'seal_violated', 'loss', 'loss_pose',
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"'grad'.*loss_pose, lr"):
        match_names(['grad'], names)


@pytest.fixture
def runs(tmp_path):
    """A run without SEAL and one with it."""
    log(tmp_path / 'plain', 'a', [train(i, loss_pose=1 / i) for i in range(1, 9)])
    log(
        tmp_path / 'seal', 'a',
        [train(i, loss_pose=2 / i, seal_gradient_ratio=0.5 * i) for i in range(1, 9)],
    )  # fmt: skip
    return [str(tmp_path / 'plain'), str(tmp_path / 'seal')]


def test_runs_side_by_side(runs, tmp_path, capsys):
    picture = tmp_path / 'training.png'
    assert tool.main([*runs, '--out', str(picture)]) == 0
    printed = capsys.readouterr().out
    (row,) = (line for line in printed.splitlines() if 'seal_gradient_ratio  ' in line)
    # Means over iterations 1-2, 3-4, 5-6, 7-8, and the last.
    assert row.split()[1:] == ['seal', '0.75', '1.75', '2.75', '3.75', '4']
    assert 'plain has not logged seal_gradient_ratio' in printed
    assert imread(picture).shape[1] > imread(picture).shape[0]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [(['--keys', 'nothing'], "no run has logged 'nothing'"), (['.'], 'scalars.json')],
)
def test_what_is_not_there_is_refused_in_one_line(
    runs, arguments, message, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=message):
        tool.main([*runs, *arguments])


def test_smoothing_over_an_even_number_is_refused(runs, capsys):
    with pytest.raises(SystemExit):
        tool.main([*runs, '--smooth', '4'])
    assert 'odd number' in capsys.readouterr().err
