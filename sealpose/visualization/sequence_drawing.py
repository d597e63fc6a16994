"""Frames of a sequence, 2D beside 3D, as a strip or as a moving picture."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from sealpose.datasets.sequences import PoseSequence
from sealpose.skeletons import Skeleton
from sealpose.visualization.skeleton_drawing import (
    COLOURS,
    View,
    draw_keypoints_2d,
    draw_skeleton_3d,
)

# Frames side by side in a strip.
COLUMNS = 8


class SequenceDrawing:
    """Draws frames of one sequence alike: the same scale, the same view.

    Args:
        sequence: The sequence.
        frames: Which of its frames will be drawn.
        skeleton: Its skeleton.
        has_truth: Whether its 3D poses mean anything.
    """

    def __init__(
        self,
        sequence: PoseSequence,
        frames: Sequence[int],
        skeleton: Skeleton,
        has_truth: bool,
    ) -> None:
        self.points = sequence.keypoints_2d[frames].numpy()
        self.poses = sequence.keypoints_3d[frames].numpy() if has_truth else None
        self.view = View.around(self.poses) if has_truth else None
        self.skeleton = skeleton
        self.captions = [
            f'frame {frame}'
            + ('' if sequence.valid is None or sequence.valid[frame] else ', not valid')
            for frame in frames
        ]

    @property
    def panels(self) -> int:
        """Pictures of a frame: 2D and, where there is truth, 3D."""
        return 1 if self.poses is None else 2

    @property
    def is_dense(self) -> bool:
        """Whether many joints are close: a face, hands."""
        return self.skeleton.num_joints > 40

    @property
    def size(self) -> float:
        """Factor on the size of the pictures."""
        return 1.7 if self.is_dense else 1.0

    def draw_2d(self, axes: Axes, number: int, follow: bool) -> None:
        """Draw the keypoints of a frame.

        Args:
            axes: 2D axes.
            number: Which of the frames.
            follow: Keep the person in the middle instead of the place.
        """
        draw_keypoints_2d(axes, self.points[number], self.skeleton)
        low, high = self.points.min(1), self.points.max(1)
        middle = (low + high)[number] / 2
        half = 0.55 * (high - low).max()
        if not follow:
            low, high = low.min(0), high.max(0)
            middle, half = (low + high) / 2, 0.55 * (high - low).max()
        axes.set_xlim(middle[0] - half, middle[0] + half)
        axes.set_ylim(middle[1] + half, middle[1] - half)
        self._thin_lines(axes)

    def draw_3d(self, axes: Axes, number: int) -> None:
        """Draw the pose of a frame into 3D axes."""
        draw_skeleton_3d(axes, self.poses[number], self.skeleton, view=self.view)
        self._thin_lines(axes)

    def _thin_lines(self, axes: Axes) -> None:
        if self.is_dense:
            for line in axes.lines:
                line.set_linewidth(min(line.get_linewidth(), 0.7))
                line.set(markersize=0.9, markeredgewidth=0)


def draw_strip(drawing: SequenceDrawing, title: str) -> Figure:
    """Draw frames from left to right, 2D above 3D.

    Args:
        drawing: What to draw.
        title: Above all.
    """
    count = len(drawing.captions)
    columns = min(count, COLUMNS)
    bands = -(-count // columns)
    width = max(1.6 * drawing.size * columns, 5.2)
    height = bands * (0.25 + 2.1 * drawing.size * drawing.panels) + 0.75
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    _add_title_and_legend(figure, title)
    top, bottom = 1 - 0.4 / height, 0.35 / height
    grid = figure.add_gridspec(
        bands,
        columns,
        left=0.01,
        right=0.99,
        top=top,
        bottom=bottom,
        wspace=0.02,
        hspace=0.1,
    )
    for number, caption in enumerate(drawing.captions):
        cell = grid[number // columns, number % columns]
        cells = list(cell.subgridspec(drawing.panels, 1, hspace=0.0))
        axes = figure.add_subplot(cells[0])
        drawing.draw_2d(axes, number, follow=True)
        axes.set_title(caption, fontsize=8)
        if drawing.poses is not None:
            drawing.draw_3d(figure.add_subplot(cells[1], projection='3d'), number)
    return figure


def draw_gif(drawing: SequenceDrawing, title: str, fps: float) -> bytes:
    """Draw a moving picture, 2D beside 3D; return the file.

    Args:
        drawing: What to draw.
        title: Above all.
        fps: Frames of it per second.
    """
    height = 3.2 * drawing.size + 0.55
    figure = Figure(figsize=(3.2 * drawing.size * drawing.panels, height), dpi=100)
    canvas = FigureCanvasAgg(figure)
    images = []
    for number, caption in enumerate(drawing.captions):
        figure.clear()
        _add_title_and_legend(figure, f'{title}\n{caption}')
        grid = figure.add_gridspec(
            1,
            drawing.panels,
            left=0.01,
            right=0.99,
            top=1 - 0.4 / height,
            bottom=0.3 / height,
            wspace=0.0,
        )
        drawing.draw_2d(figure.add_subplot(grid[0]), number, follow=False)
        if drawing.poses is not None:
            drawing.draw_3d(figure.add_subplot(grid[1], projection='3d'), number)
        canvas.draw()
        images.append(
            Image.fromarray(np.asarray(canvas.buffer_rgba())).convert('RGB').quantize()
        )
    file = io.BytesIO()
    images[0].save(
        file,
        format='GIF',
        save_all=True,
        append_images=images[1:],
        duration=round(100 / fps) * 10,  # a GIF counts in hundredths of a second
        loop=0,
    )
    return file.getvalue()


def _add_title_and_legend(figure: Figure, title: str) -> None:
    figure.suptitle(title, fontsize=9, y=1 - 0.1 / figure.get_figheight(), va='top')
    figure.legend(
        [Line2D([], [], color=colour, linewidth=2.5) for colour in COLOURS.values()],
        COLOURS.keys(),
        loc='lower center',
        ncols=len(COLOURS),
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
    )
