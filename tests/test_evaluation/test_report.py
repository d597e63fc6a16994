import json
import math
from dataclasses import replace

import pytest

from sealpose.evaluation import EvaluationReport
from sealpose.evaluation.files import whole_file

REPORT = EvaluationReport(
    name='videopose_sample',
    dataset='SampleMotion',
    protocol='root-relative',
    skeleton='h36m17',
    frames=400,
    units={'MPJPE': 'mm', 'LSE': '%'},
    per_action={
        'walk': {'MPJPE': 40.0, 'LSE': 1.0},
        '01': {'MPJPE': 60.0, 'LSE': 3.0},
    },
    frames_per_action={'walk': 300, '01': 100},
    action_mean={'MPJPE': 50.0, 'LSE': 2.0},
    frame_mean={'MPJPE': 45.0, 'LSE': 1.5},
)


def written(tmp_path, **changes):
    """Write the report, then change entries of the file; None removes one."""
    path = tmp_path / 'figures.json'
    REPORT.to_json(path)
    data = json.loads(path.read_text())
    for key, value in changes.items():
        data[key] = value
        if value is None:
            del data[key]
    path.write_text(json.dumps(data))
    return path


def test_round_trip(tmp_path):
    path = tmp_path / 'new_folder' / 'figures.json'
    REPORT.to_json(path)
    assert EvaluationReport.from_json(path) == REPORT
    assert [p.name for p in path.parent.iterdir()] == ['figures.json']


def test_nan_is_written_as_valid_json_and_comes_back(tmp_path):
    path = tmp_path / 'figures.json'
    replace(REPORT, action_mean={'MPJPE': math.nan, 'LSE': 2.0}).to_json(path)

    def refuse(constant):
        raise AssertionError(f'{constant} is not JSON')

    json.loads(path.read_text(), parse_constant=refuse)
    read = EvaluationReport.from_json(path)
    assert math.isnan(read.action_mean['MPJPE'])
    assert read.action_mean['LSE'] == 2.0


def test_a_failed_write_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / 'figures.json'
    REPORT.to_json(path)

    def fail_half_way():
        with whole_file(path) as temporary:
            temporary.write_text('{"name": ')
            raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        fail_half_way()
    assert EvaluationReport.from_json(path) == REPORT
    assert [p.name for p in tmp_path.iterdir()] == ['figures.json']


@pytest.mark.parametrize('key', ['units', 'frames', 'per_action', 'name'])
def test_a_missing_key_is_named(tmp_path, key):
    path = written(tmp_path, **{key: None})
    with pytest.raises(ValueError, match=f"figures.json.* no key '{key}'"):
        EvaluationReport.from_json(path)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'frames': '400'}, "key 'frames': expected int, got '400'"),
        ({'units': ['mm']}, "key 'units': expected dict"),
        ({'action_mean': {'MPJPE': 50.0}}, "key 'action_mean': expected a figure for"),
        (
            {'frame_mean': {'MPJPE': 'low', 'LSE': 1}},
            "key 'frame_mean', MPJPE: expected a number, got 'low'",
        ),
        ({'frames_per_action': {'run': 400}}, 'expected the same actions in both'),
        (
            {'per_action': {'walk': 3, '01': {}}},
            "key 'per_action: walk': expected a figure for each of MPJPE, LSE, got 3",
        ),
    ],
)
def test_a_damaged_entry_is_named(tmp_path, changes, message):
    path = written(tmp_path, **changes)
    with pytest.raises(ValueError, match=f'figures.json, .*{message}'):
        EvaluationReport.from_json(path)


@pytest.mark.parametrize('text', ['', '{"name": "a"', '\x00\x01'])
def test_a_file_that_is_no_json_is_named(tmp_path, text):
    path = tmp_path / 'cut.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'cut.json is not a JSON file'):
        EvaluationReport.from_json(path)


def test_other_json_is_named(tmp_path):
    path = tmp_path / 'other.json'
    path.write_text('[1, 2]')
    with pytest.raises(ValueError, match=r'other.json is not a results file'):
        EvaluationReport.from_json(path)


def test_table_shows_every_action_both_means_and_the_units():
    lines = REPORT.table().splitlines()
    assert lines[0].startswith('videopose_sample on SampleMotion (h36m17;')
    rows = [line.split() for line in lines]
    assert ['frames', 'MPJPE', 'LSE'] in rows
    assert ['mm', '%'] in rows
    assert ['walk', '300', '40.00', '1.00'] in rows
    assert ['01', '100', '60.00', '3.00'] in rows
    assert ['mean', 'over', 'actions', '400', '50.00', '2.00'] in rows
    assert ['mean', 'over', 'frames', '400', '45.00', '1.50'] in rows


def test_the_file_says_which_metrics_are_better_when_larger(tmp_path):
    report = replace(REPORT, higher_is_better=['LSE'])
    path = tmp_path / 'figures.json'
    report.to_json(path)
    assert json.loads(path.read_text())['higher_is_better'] == ['LSE']
    assert EvaluationReport.from_json(path) == report


def test_files_from_before_the_direction_was_written_are_read(tmp_path):
    path = written(tmp_path, higher_is_better=None)
    assert 'higher_is_better' not in json.loads(path.read_text())
    assert EvaluationReport.from_json(path) == REPORT
