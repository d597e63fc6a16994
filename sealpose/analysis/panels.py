"""Rows of small diagrams that look alike."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Told apart by colour-blind readers too.
COLOURS = ('#1965b0', '#e8601c', '#4eb265', '#882e72', '#7bafde', '#777777')
GREY = '#9a9a9a'


def make_panels(
    rows: int, columns: int, width: float, height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure of equal diagrams.

    Args:
        rows: Rows of diagrams.
        columns: Columns of diagrams.
        width: Of each, inches.
        height: Of each, inches.
        options: Of ``Figure.subplots``.

    Returns:
        The figure and its axes (rows, columns).
    """
    size = (width * columns + 0.4, height * rows + 0.4)
    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def style(axes: Axes, across: str = '', up: str = '') -> None:
    """Label the axes and give them the look of the others."""
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(color='#e4e4e4')
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)


def add_legend(figure: Figure, entries: Mapping[str, Artist], columns: int = 1) -> None:
    """Put a legend below all diagrams.

    Args:
        figure: The figure.
        entries: Text to what it explains.
        columns: That it has.
    """
    figure.legend(
        list(entries.values()),
        list(entries),
        loc='outside lower left',
        frameon=False,
        fontsize=8,
        ncols=columns,
    )


def colours(items: Iterable) -> list[str]:
    """Return a colour for each; they repeat after the sixth."""
    return [COLOURS[number % len(COLOURS)] for number, _ in enumerate(items)]
