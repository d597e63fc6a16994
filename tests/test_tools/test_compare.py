import math
import re
from dataclasses import replace

import pytest

from tests.test_evaluation.test_report import REPORT
from tools.analysis_tools.compare import main

SEAL = replace(
    REPORT,
    name='videopose_seal',
    per_action={
        'walk': {'MPJPE': 38.5, 'LSE': 1.25},
        '01': {'MPJPE': 60.0, 'LSE': 2.0},
    },
    action_mean={'MPJPE': 49.25, 'LSE': 2.125},
    frame_mean={'MPJPE': 43.875, 'LSE': 1.4375},
)


@pytest.fixture
def compare(tmp_path, capsys):
    """Write the reports and compare them: exit code, output lines, error."""

    def run(reports, *options):
        files = []
        for name, report in reports.items():
            files.append(str(tmp_path / f'{name}.json'))
            report.to_json(files[-1])
        code = main([*files, *options])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


BOTH = {'a': REPORT, 'b': SEAL}


def test_text(compare):
    code, lines, _ = compare(BOTH)
    assert code == 0
    assert 'SampleMotion (h36m17), 400 frames, mean over actions' in lines[0]
    assert lines[2].split() == ['MPJPE', 'mm', '↓', 'LSE', '%', '↓']
    assert lines[4].split() == ['videopose_sample', '50.00', '2.00']
    assert lines[5].split() == [
        'videopose_seal', '49.25', '(-0.75)', '2.12', '(+0.12)'
    ]  # fmt: skip


def test_the_mean_is_that_of_the_protocol_unless_asked_for(compare):
    both = {k: replace(r, headline='frame_mean') for k, r in BOTH.items()}
    code, lines, _ = compare(both)
    assert code == 0
    assert 'mean over frames' in lines[0]
    assert lines[5].split()[1] == '43.88'
    _, lines, _ = compare(both, '--mean', 'action')
    assert 'mean over actions' in lines[0]


def test_markdown_marks_the_best(compare):
    code, lines, _ = compare(BOTH, '--format', 'markdown')
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    assert code == 0
    assert ['', 'MPJPE mm ↓', 'LSE % ↓'] in rows
    assert ['videopose_sample', '50.00', '**2.00**'] in rows
    assert ['videopose_seal', '**49.25** (-0.75)', '2.12 (+0.12)'] in rows


def test_latex_is_escaped_and_marks_the_best(compare):
    code, lines, _ = compare(BOTH, '--format', 'latex')
    assert code == 0
    table = '\n'.join(lines)
    for rule in (r'\toprule', r'\midrule', r'\bottomrule'):
        assert table.count(rule) == 1
    assert r'\hline' not in table
    assert r'LSE \% $\downarrow$' in table
    assert r'videopose\_seal' in table
    assert r'\textbf{49.25} (-0.75)' in table
    assert lines[0].startswith('% ')


def test_per_action(compare):
    code, lines, _ = compare(BOTH, '--per-action', 'MPJPE', '--mean', 'frame')
    assert code == 0
    assert lines[0].startswith('MPJPE in mm: ')
    assert lines[2].split() == ['walk', '↓', '01', '↓', 'mean', '↓']
    assert lines[4].split() == ['videopose_sample', '40.00', '60.00', '45.00']
    assert lines[5].split()[1:5] == ['38.50', '(-1.50)', '60.00', '(+0.00)']


def test_mean_over_frames(compare):
    _, lines, _ = compare({'a': REPORT}, '--mean', 'frame')
    assert 'mean over frames' in lines[0]
    assert lines[4].split() == ['videopose_sample', '45.00', '1.50']


def test_ties_are_both_best_and_a_lone_file_is_not(compare):
    _, lines, _ = compare({'a': REPORT, 'b': REPORT}, '--format', 'markdown')
    assert sum('**50.00**' in line for line in lines) == 2
    _, lines, _ = compare({'a': REPORT}, '--format', 'markdown')
    assert '**' not in '\n'.join(lines)


def test_equal_names_are_told_apart_by_their_files(compare):
    _, lines, _ = compare({'baseline': REPORT, 'seal': replace(SEAL, name=REPORT.name)})
    assert lines[4].startswith('videopose_sample (baseline) ')
    assert lines[5].startswith('videopose_sample (seal) ')


def test_a_metric_that_a_file_lacks_or_that_is_nan_is_left_blank(compare):
    fewer = replace(
        SEAL,
        units={'MPJPE': 'mm'},
        per_action={action: {'MPJPE': math.nan} for action in SEAL.per_action},
        action_mean={'MPJPE': math.nan},
        frame_mean={'MPJPE': math.nan},
    )
    code, lines, _ = compare({'a': REPORT, 'b': fewer}, '--format', 'markdown')
    assert code == 0
    assert [c.strip() for c in lines[-1].strip('|').split('|')][1:] == ['-', '-']
    code, _, err = compare({'a': REPORT, 'b': fewer}, '--per-action', 'LSE')
    assert code == 2
    assert 'b.json has no such metric; it has MPJPE' in err


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'dataset': 'CMUMocap'}, "dataset is 'SampleMotion' in .* and 'CMUMocap'"),
        ({'skeleton': 'coco17'}, "skeleton is 'h36m17' in .* and 'coco17'"),
        ({'frames': 401}, 'frames is 400 in .* and 401'),
        ({'protocol': 'root moved'}, 'protocol is .* and .root moved.'),
        ({'frames_per_action': {'walk': 200, '01': 200}}, 'frames_per_action is '),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    compare, tmp_path, change, message
):
    code, lines, err = compare({'a': REPORT, 'b': replace(SEAL, **change)})
    assert (code, lines) == (2, [])
    assert err.count('\n') == 1
    start = f'error: {tmp_path}/a.json and {tmp_path}/b.json cannot be compared: '
    assert err.startswith(start)
    assert re.search(message, err)


def test_wrong_files_are_refused_in_one_line(tmp_path, capsys):
    wrong = tmp_path / 'wrong.json'
    wrong.write_text('{}')
    for path, message in (
        (wrong, f'error: {wrong} is not a results file of tools/test.py --out: '),
        (tmp_path / 'nowhere.json', 'error: [Errno 2] No such file or directory'),
    ):
        assert main([str(path)]) == 2
        out, err = capsys.readouterr()
        assert err.startswith(message)
        assert (out, err.count('\n')) == ('', 1)


def with_pck(report, pck, direction=('PCK-14',)):
    """Measure PCK instead of LSE."""
    figures = {'MPJPE': 50.0, 'PCK-14': pck}
    return replace(
        report,
        units={'MPJPE': 'mm', 'PCK-14': '%'},
        per_action=dict.fromkeys(report.per_action, figures),
        action_mean=figures,
        frame_mean=figures,
        higher_is_better=list(direction),
    )


def test_the_largest_is_the_best_where_larger_is_better(compare):
    reports = {'a': with_pck(REPORT, 90.0), 'b': with_pck(SEAL, 92.5)}
    _, lines, _ = compare(reports, '--format', 'markdown')
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    assert ['', 'MPJPE mm ↓', 'PCK-14 % ↑'] in rows
    assert ['videopose_sample', '**50.00**', '90.00'] in rows
    assert ['videopose_seal', '**50.00** (+0.00)', '**92.50** (+2.50)'] in rows
    _, lines, _ = compare(reports, '--format', 'markdown', '--per-action', 'PCK-14')
    assert 'walk ↑' in lines[2]
    assert sum('**92.50** (+2.50)' in line for line in lines) == 1
    _, lines, _ = compare(reports, '--format', 'latex')
    assert any(r'PCK-14 \% $\uparrow$' in line for line in lines)
