"""The tables of a report, and their three forms."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from sealpose.evaluation.report import metric_title
from sealpose.study.compare import ArmResult, Comparison, Entry
from sealpose.study.figures import Measure

BETTER, WORSE = '*', '!'
LATEX = {c: f'\\{c}' for c in '_%&#$'} | {
    '±': r'$\pm$',
    '↓': r'$\downarrow$',
    '↑': r'$\uparrow$',
}
RULES = (r'\toprule', r'\midrule', r'\bottomrule')


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        title: What it shows.
        header: Heads of the columns.
        rows: Rows of cells.
        remark: What a reader must know; may be empty.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ''

    def render(self, style: str) -> str:
        """Draw it.

        Args:
            style: ``text``, ``markdown`` or ``latex``.
        """
        if style == 'latex':
            return self._latex()
        form = {'text': 'simple', 'markdown': 'github'}[style]
        head = f'### {self.title}\n' if style == 'markdown' else self.title
        parts = [head, self._tabulate(form, self.header, self.rows)]
        if self.remark:
            parts.append(f'\n{self.remark}')
        return '\n'.join(parts)

    def _tabulate(
        self, form: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> str:
        align = ['left', *['right'] * (len(header) - 1)]
        return tabulate(
            rows, header, tablefmt=form, disable_numparse=True, colalign=align
        )

    def _latex(self) -> str:
        text = str.maketrans(LATEX)
        rows = [[cell.translate(text) for cell in row] for row in self.rows]
        header = [head.translate(text) for head in self.header]
        table = self._tabulate('latex_raw', header, rows)
        for rule in RULES:
            table = table.replace(r'\hline', rule, 1)
        return '\n'.join([f'% {self.title}', table, f'% {self.remark}'])


def main_table(comparison: Comparison) -> Table:
    """Arms against measures: mean, and difference to the baseline."""
    rows = [
        [arm.name, _seeds(arm), *_cells(arm.figures, comparison.measures)]
        for arm in comparison.arms
    ]
    header = ['arm', 'seeds', *map(_title, comparison.measures)]
    return Table(
        f'Means over seeds (difference to {comparison.study.baseline} ± half the 95 % '
        'interval)',
        header,
        rows,
        _legend(comparison),
    )


def bootstrap_table(comparison: Comparison) -> Table:
    """Intervals of the differences that cover new subjects too."""
    measures = comparison.measures
    rows = [
        [
            arm.name,
            *(_interval(arm.figures[m.name].bootstrap, m) for m in measures),
        ]
        for arm in _compared(comparison)
    ]
    subjects = len(comparison.about['subjects'])
    few = ' That is few: take the intervals for too narrow.' if subjects < 10 else ''
    return Table(
        'Differences: 95 % bootstrap intervals over subjects and seeds',
        ['arm', *map(_title, measures)],
        rows,
        f'{subjects} test subjects.{few}',
    )


def relative_table(comparison: Comparison) -> Table:
    """Differences in percent of the baseline."""

    def cell(arm: ArmResult, measure: Measure) -> str:
        paired = arm.figures[measure.name].paired
        return f'{paired.relative:+.1f} %{_mark(arm.figures[measure.name], measure)}'

    rows = [
        [arm.name, *(cell(arm, m) for m in comparison.measures)]
        for arm in _compared(comparison)
    ]
    return Table(
        'Differences in percent of the baseline',
        ['arm', *(f'{m.name} {_arrow(m)}' for m in comparison.measures)],
        rows,
    )


def group_tables(comparison: Comparison, key: str) -> list[Table]:
    """A table per measure: arms against actions or subjects.

    Args:
        comparison: The comparison.
        key: ``action`` or ``subject``.
    """
    tables = []
    for measure in comparison.measures:
        entries = {
            arm.name: getattr(arm, f'per_{key}')[measure.name]
            for arm in comparison.arms
            if arm.figures
        }
        title = f'{_title(measure)} per {key}'
        tables.append(_entry_table(title, entries, measure))
    return tables


def joint_table(comparison: Comparison) -> Table:
    """Mean error of every joint: joints against arms."""
    measure = Measure('error', 'mm', False)
    entries = {arm.name: arm.per_joint for arm in comparison.arms if arm.figures}
    table = _entry_table('Mean error per joint, mm, over all frames', entries, measure)
    turned = list(zip(table.header, *table.rows, strict=True))
    return Table(table.title, ['joint', *turned[0][1:]], turned[1:])


def cost_table(comparison: Comparison) -> Table:
    """What each arm costs."""
    found = [arm for arm in comparison.arms if arm.figures]
    base = next((a for a in found if a.name == comparison.study.baseline), None)
    rows = []
    for arm in found:
        step = arm.seconds / arm.updates
        ratio = step / (base.seconds / base.updates) if base else math.nan
        rows.append(
            [
                arm.name,
                str(arm.updates),
                f'{arm.wall_seconds:.1f}',
                f'{arm.seconds:.1f}',
                f'{1000 * step:.2f}',
                f'{ratio:.2f}',
            ]
        )
    header = ['arm', 'updates', 'wall s', 's / run', 'ms / update', 'relative']
    remark = 'Seconds are processor time where a CPU trains, wall-clock on a GPU.'
    return Table('Cost of training (medians over seeds)', header, rows, remark)


def tuning_tables(tuning: Mapping[str, dict]) -> list[Table]:
    """What was tried on the validation split: a table per arm.

    Args:
        tuning: The content of tuning.json.
    """
    tables = []
    for arm, notes in tuning.items():
        measures = list(dict.fromkeys([notes['measure'], *notes['allow']]))
        rows = [
            [
                ', '.join(f'{path} = {v}' for path, v in tried['values'].items()),
                *(_plain(tried['mean'].get(m)) for m in measures),
                'chosen' if tried['chosen'] else 'failed' if tried['failed'] else '',
            ]
            for tried in notes['tried']
        ]
        if 'baseline' in notes:
            cells = (_plain(notes['baseline'].get(m)) for m in measures)
            rows.append(['(baseline)', *cells, ''])
        allowed = ''.join(
            f'; {m} at most {margin:g} worse than the baseline'
            for m, margin in notes['allow'].items()
        )
        seeds = ', '.join(map(str, notes['seeds']))
        tables.append(
            Table(
                f'Tuning of {arm}: split {notes["split"]}, seeds {seeds}, best '
                f'{notes["measure"]}{allowed}',
                ['values', *measures, ''],
                rows,
                notes['remark'],
            )
        )
    return tables


def _entry_table(
    title: str, entries: Mapping[str, Mapping[str, Entry]], measure: Measure
) -> Table:
    columns = list(dict.fromkeys(c for table in entries.values() for c in table))
    rows = [
        [arm, *(_cell(table[c], measure) if c in table else '-' for c in columns)]
        for arm, table in entries.items()
    ]
    return Table(title, ['arm', *columns], rows)


def _compared(comparison: Comparison) -> list[ArmResult]:
    """The arms that have a difference to the baseline."""
    return [
        arm
        for arm in comparison.arms
        if any(entry.paired for entry in arm.figures.values())
    ]


def _cells(figures: Mapping[str, Entry], measures: Sequence[Measure]) -> list[str]:
    return [_cell(figures[m.name], m) if figures else '-' for m in measures]


def _cell(entry: Entry, measure: Measure) -> str:
    text = _plain(entry.mean)
    if entry.paired is None:
        return f'{text} (sd {entry.sd:.2f})' if math.isfinite(entry.sd) else text
    half = _plain(entry.paired.half)
    return f'{text} ({entry.paired.mean:+.2f} ±{half}){_mark(entry, measure)}'


def _mark(entry: Entry, measure: Measure) -> str:
    if entry.verdict == 0:
        return ''
    return BETTER if (entry.verdict > 0) == measure.higher_is_better else WORSE


def _interval(ends: tuple[float, float] | None, measure: Measure) -> str:
    if ends is None or not all(map(math.isfinite, ends)):
        return '-'
    low, high = ends
    sign = (low > 0) - (high < 0)
    better = (sign > 0) == measure.higher_is_better
    mark = '' if sign == 0 else BETTER if better else WORSE
    return f'[{low:+.2f}, {high:+.2f}]{mark}'


def _plain(value: float | None) -> str:
    return '-' if value is None or not math.isfinite(value) else f'{value:.2f}'


def _seeds(arm: ArmResult) -> str:
    found = len(next(iter(arm.figures.values())).per_seed) if arm.figures else 0
    return f'{found} of {found + len(arm.missing)}' if arm.missing else str(found)


def _title(measure: Measure) -> str:
    title = metric_title(measure.name, measure.unit)
    return f'{title} {_arrow(measure)}'


def _arrow(measure: Measure) -> str:
    return '↑' if measure.higher_is_better else '↓'


def _legend(comparison: Comparison) -> str:
    count = sum(len(arm.figures) for arm in _compared(comparison))
    return (
        f'{BETTER} better, {WORSE} worse: the interval excludes 0. Paired t over the '
        f'seeds. Of the {count} differences about {0.05 * count:.0f} would be marked '
        'if none were real.'
    )
