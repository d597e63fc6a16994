"""Every arm of a study as a point: what it gains, and what it pays."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sealpose.analysis.panels import GREY, add_legend, colours, make_panels, style
from sealpose.study.compare import ArmResult, Comparison

MARKERS = 'os^Dv'
COLUMNS = 3


def draw_tradeoffs(comparison: Comparison) -> Figure | None:
    """Draw the differences to the baseline, the first measure against each other one.

    The baseline is the origin. Bars are the 95 % intervals over the seeds. Arms that
    test the weights of another one hang on it by a line.

    Args:
        comparison: The arms.

    Returns:
        The figure; None if there is nothing to draw.
    """
    measures = [measure.name for measure in comparison.measures]
    arms = [arm for arm in comparison.arms if _is_point(arm, measures[0])]
    if not arms or len(measures) < 2:
        return None
    rows = -(-(len(measures) - 1) // COLUMNS)
    columns = min(COLUMNS, len(measures) - 1)
    figure, panels = make_panels(rows, columns, 3.0, 2.7)
    legend: dict[str, Artist] = {}
    for axes, measure in zip(panels.flat, measures[1:], strict=False):
        _draw_panel(axes, comparison, arms, (measures[0], measure), legend)
    for axes in panels.flat[len(measures) - 1 :]:
        axes.set_visible(False)
    add_legend(figure, legend, columns)
    return figure


def _is_point(arm: ArmResult, measure: str) -> bool:
    return bool(arm.figures) and arm.figures[measure].paired is not None


def _draw_panel(
    axes: Axes,
    comparison: Comparison,
    arms: Sequence[ArmResult],
    measures: tuple[str, str],
    legend: dict[str, Artist],
) -> None:
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axvline(0, color=GREY, linewidth=0.8)
    places = {comparison.study.baseline: (0.0, 0.0)}
    for arm in arms:
        places[arm.name] = tuple(arm.figures[m].paired.mean for m in measures)
    for number, (arm, colour) in enumerate(zip(arms, colours(arms), strict=True)):
        origin = comparison.study.arms[arm.name].weights_of
        if origin in places:
            ends = zip(places[origin], places[arm.name], strict=True)
            axes.plot(*ends, color=colour, linewidth=0.8, linestyle=':')
        halves = [arm.figures[m].paired.half for m in measures]
        legend[arm.name] = axes.errorbar(
            *places[arm.name],
            xerr=halves[0],
            yerr=halves[1],
            color=colour,
            marker=MARKERS[number // 6 % len(MARKERS)],
            markersize=5,
            linewidth=0.7,
        )
    units = {measure.name: measure.unit for measure in comparison.measures}
    style(axes, *(f'Δ {name}, {units[name]}' for name in measures))
