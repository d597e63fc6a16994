"""The analysis as tables and as a file."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from sealpose.analysis.intervals import Estimate
from sealpose.evaluation.report import metric_title
from sealpose.registry import FRAME_METRICS

Analysis = dict[str, Any]
INTERVALS = (
    'In brackets the 95 % interval: whole clips, with all their cameras, are drawn '
    'with replacement; the networks stay the same. One training says nothing of others.'
)


def plain(value: Any) -> Any:
    """Turn figures into what JSON knows; what is not finite becomes null.

    Args:
        value: Dicts and lists of figures.
    """
    if isinstance(value, Estimate):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def markdown(analysis: Analysis) -> str:
    """Write all tables, a section each.

    Args:
        analysis: As the tool collects it: see docs/analysis.md.
    """
    parts = [_head(analysis)]
    for title, text, table in SECTIONS:
        parts.append(f'## {title}\n\n{text}\n\n{table(analysis)}')
    return '\n\n'.join(parts) + '\n'


def _head(a: Analysis) -> str:
    frames = a['predictions'][0]
    return (
        f'# Energy of {a["loss_net"]}\n\n'
        f'{a["dataset"]} ({a["skeleton"]}), split {a["split"]}: {frames["frames"]} '
        f'frames of {frames["clips"]} clips. {INTERVALS}'
    )


def show(estimate: Estimate | None, digits: int = 2, sign: bool = False) -> str:
    """Write a figure with its interval: ``0.41 [0.38, 0.44]``.

    Args:
        estimate: The figure; None where there is none.
        digits: After the point.
        sign: Write a plus, too.
    """
    if estimate is None or not math.isfinite(estimate.value):
        return '-'
    form = f'{"+" if sign else ""}.{digits}f'
    text = format(estimate.value, form)
    if not math.isfinite(estimate.low):
        return text
    return f'{text} [{estimate.low:{form}}, {estimate.high:{form}}]'


def _measures(analysis: Analysis) -> list[str]:
    return list(analysis['predictions'][0]['overview']['errors'])


def _titles(measures: Sequence[str]) -> list[str]:
    return [metric_title(m, FRAME_METRICS.get(m).unit) for m in measures]


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return tabulate(rows, header, tablefmt='github', disable_numparse=True)


def _overview(a: Analysis) -> str:
    measures = _measures(a)
    rows = []
    for p in a['predictions']:
        o = p['overview']
        rows.append(
            [
                p['name'],
                *(f'{o["errors"][m].value:.2f}' for m in measures),
                show(o['energy_pred'], 3),
                show(o['energy_true'], 3),
            ]
        )
    return _table(['pose-net', *_titles(measures), 'E(x, ŷ)', 'E(x, y)'], rows)


def _correlation(a: Analysis) -> str:
    rows = []
    for p in a['predictions']:
        for m in _measures(a):
            cells = [
                show(p['correlation'][energy][m][over])
                for energy in ('energy', 'gap')
                for over in ('all_frames', 'within_sequences')
            ]
            rows.append([p['name'], m, *cells])
    header = ['energy, all', 'energy, within', 'gap, all', 'gap, within']
    return _table(['pose-net', 'with', *header], rows)


def _ranking(a: Analysis) -> str:
    rows = [[p['name'], *_ranking_cells(p['ranking'])] for p in a['predictions']]
    return _table(['pose-net', *RANKING_HEADER], rows)


RANKING_HEADER = ('ranked right %', 'violated hinges %', 'gap')


def _ranking_cells(ranking: Mapping) -> list[str]:
    return [
        show(ranking['ranked_right_%'], 1),
        show(ranking['violated_%'], 1),
        show(ranking['energy_gap'], 3, sign=True),
    ]


def _corruptions(a: Analysis) -> str:
    shown = [m for m in ('MPJPE', 'LSE', 'BSLE') if m in _measures(a)]
    rows = [
        [
            c['kind'],
            f'{c["severity"]:g} {c["unit"]}' if c['unit'] else '',
            *(f'{c["errors"][m].value:.2f}' for m in shown),
            *_ranking_cells(c),
        ]
        for c in a['corruptions']
    ]
    return _table(['corruption', 'severity', *_titles(shown), *RANKING_HEADER], rows)


def _gradient(a: Analysis) -> str:
    rows = []
    for p in a['predictions']:
        g = p['gradient']
        for m, towards in g['towards'].items():
            cells = (
                show(towards['cosine'], 3, sign=True),
                show(towards['positive_%'], 1),
            )
            rows.append([p['name'], m, *cells, show(g['over_pose_gradient'], 1)])
    header = ['with', 'cosine', 'positive, % of frames', 'norm over pose gradient']
    return _table(['pose-net', *header], rows)


def _steps(a: Analysis) -> str:
    measures = _measures(a)
    rows = [
        [
            p['name'],
            s['direction'],
            f'{s["steps"]} x {s["length_mm"]:g} mm',
            *(show(s['change'][m], 2, sign=True) for m in measures),
            show(s['better_%'], 1),
        ]
        for p in a['predictions']
        for s in p['steps']
    ]
    header = ['pose-net', 'direction', 'steps', *_titles(measures)]
    return _table([*header, 'MPJPE better, % of frames'], rows)


def _attribution(a: Analysis) -> str:
    header, columns = ['joint'], []
    for p in a['predictions']:
        header += [f'{p["name"]}: gradient', 'error mm']
        joints = p['attribution']['joints']
        columns.append([f'{j["gradient"].value:.3g}' for j in joints.values()])
        columns.append([f'{j["error_mm"].value:.1f}' for j in joints.values()])
    names = list(a['predictions'][0]['attribution']['joints'])
    table = _table(header, list(zip(names, *columns, strict=True)))
    lines = [
        f'- {p["name"]}: rank correlation over the joints of a frame '
        f'{show(p["attribution"]["rank_agreement"])}; the joint blamed most is the '
        f'most wrong in {show(p["attribution"]["same_worst_%"], 1)} % of the frames '
        f'(chance {p["attribution"]["chance_%"]:.1f} %)'
        for p in a['predictions']
    ]
    found = a['localisation']
    lines.append(
        f'- one joint of the truth moved by {found["moved_mm"]:g} mm: found in '
        f'{show(found["found_%"], 1)} % of the frames (chance '
        f'{found["chance_%"]:.1f} %), pulled back in '
        f'{show(found["points_back_%"], 1)} %, cosine {show(found["cosine_back"])}'
    )
    return table + '\n\n' + '\n'.join(lines)


def _calibration(a: Analysis) -> str:
    measures = _measures(a)
    rows = [
        [
            p['name'],
            number,
            f'{b["energy_low"]:.3f} to {b["energy_high"]:.3f}',
            *(show(b['errors'][m]) for m in measures),
        ]
        for p in a['predictions']
        for number, b in enumerate(p['calibration'], 1)
    ]
    return _table(['pose-net', 'tenth', 'energy', *_titles(measures)], rows)


SECTIONS: tuple[tuple[str, str, Callable[[Analysis], str]], ...] = (
    ('Poses', 'Means over the frames.', _overview),
    (
        'Rank correlation with the error',
        'Spearman. "Energy" is E(x, ŷ), which is known at test time; "gap" is E(x, ŷ) '
        '- E(x, y). "All" is over all frames, "within" the mean over sequences.',
        _correlation,
    ),
    (
        'Predictions against truth',
        'Ranked right: the prediction has more energy than the truth; 50 % is chance.',
        _ranking,
    ),
    ('Corrupted truths against truth', 'The same for known faults.', _corruptions),
    (
        'Gradient at the prediction',
        'Cosine of the gradients by ŷ of the energy and of the error; positive: less '
        'energy is less error. The norm in multiples of that of the MPJPE in metres.',
        _gradient,
    ),
    (
        'Steps along the gradient',
        'Change of the errors after steps from ŷ downhill in energy, each moving the '
        'joints of a frame by the given distance (root mean square), and after going '
        'as far in a random direction. Less than 0 is better.',
        _steps,
    ),
    (
        'Joints',
        'Mean norm of the gradient by each joint, energy per metre; its mean error.',
        _attribution,
    ),
    (
        'Calibration',
        'Frames in tenths by E(x, ŷ), lowest first, and their mean errors.',
        _calibration,
    ),
)
