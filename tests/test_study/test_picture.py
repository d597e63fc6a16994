"""The picture of a study shows the figures of its tables."""

from pathlib import Path

import numpy as np
import pytest

from sealpose.study.compare import ArmResult, Comparison, Entry
from sealpose.study.figures import Measure
from sealpose.study.picture import draw_tradeoffs
from sealpose.study.spec import Arm, Study
from sealpose.study.statistics import Paired

MEASURES = [Measure('MPJPE', 'mm', False), Measure('LSE', '%', False)]


def result(name, *differences):
    paired = (Paired(mean, half, 0.0, 3) for mean, half in differences)
    entries = [Entry(9.0, 1.0, {}, found) for found in paired] or [Entry(9.0, 1.0, {})]
    names = [measure.name for measure in MEASURES]
    figures = dict(zip(names, entries * (2 // len(entries)), strict=True))
    return ArmResult(name, [], [], figures=figures)


def comparison(*results):
    arms = {
        'plain': Arm('plain'),
        'seal': Arm('seal'),
        'seal_again': Arm('seal_again', weights_of='seal'),
        'lost': Arm('lost'),
    }
    study = Study(Path('study.py'), arms, (0, 1, 2), 'plain')
    return Comparison(study, MEASURES, list(results), {})


def test_points_and_bars_are_differences_and_intervals():
    figure = draw_tradeoffs(
        comparison(
            result('plain'),
            result('seal', (0.5, 0.2), (-1.0, 0.4)),
            result('seal_again', (0.8, 0.1), (-2.0, 0.3)),
            ArmResult('lost', [0, 1, 2], []),
        )
    )
    (axes,) = [axes for axes in figure.axes if axes.get_visible()]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('Δ MPJPE, mm', 'Δ LSE, %')
    points = [bars.lines[0].get_xydata()[0] for bars in axes.containers]
    np.testing.assert_allclose(points, [[0.5, -1.0], [0.8, -2.0]])
    across, up = axes.containers[0].lines[2]
    np.testing.assert_allclose(across.get_segments()[0][:, 0], [0.3, 0.7])
    np.testing.assert_allclose(up.get_segments()[0][:, 1], [-1.4, -0.6])
    (line,) = [line for line in axes.lines if line.get_linestyle() == ':']
    np.testing.assert_allclose(line.get_xydata(), [[0.5, -1.0], [0.8, -2.0]])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ['seal', 'seal_again']


@pytest.mark.parametrize('results', [(), (result('plain'),)])
def test_without_differences_there_is_no_picture(results):
    assert draw_tradeoffs(comparison(*results)) is None
