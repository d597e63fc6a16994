"""What was not finite in which iteration, kept on the device until somebody asks."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

# In the order in which an iteration computes them: the first is the cause.
STAGES = (
    'batch',
    'prediction',
    'objective',
    'loss-net gradient',
    'loss',
    'pose-net gradient',
)
BEYOND = torch.iinfo(torch.int64).max
SHOWN = 5


@dataclass
class Findings:
    """One iteration, read from the device.

    Attributes:
        iteration: Counted from 1.
        checks: By (stage, name), whether something was not finite, causes first.
        windows: First and last frame number of the windows at fault, or of the whole
            batch where no window stands out; -1 for windows without numbers. Empty
            where nothing was wrong.
    """

    iteration: int
    checks: dict[tuple[str, str], bool]
    windows: list[tuple[int, int]] = field(default_factory=list)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Stage and name of all that was not finite, the first one first."""
        return [check for check, bad in self.checks.items() if bad]


class FaultRecord:
    """Notes in every iteration what is not finite, without waiting for the device."""

    def __init__(self) -> None:
        self._done: list[_Iteration] = []
        self._now = _Iteration(0)

    def __len__(self) -> int:
        return len(self._done)

    def begin(self, iteration: int) -> None:
        """Start an iteration, counted from 1."""
        self._now = _Iteration(iteration)

    def note(self, stage: str, name: str, bad: Tensor) -> None:
        """Take in a check.

        Args:
            stage: One of ``STAGES``.
            name: What was checked; of several checks with one name, any counts.
            bad: Scalar bool.
        """
        key = (stage, name)
        known = self._now.checks.get(key)
        self._now.checks[key] = bad if known is None else known | bad

    def note_batch(self, batch: dict[str, Any]) -> None:
        """Check a batch of windows.

        Args:
            batch: Tensors of (B, ...). ``keypoints_3d`` counts where ``labelled`` (B,)
                says so, if it is there: windows without truth hold NaN on purpose.
        """
        for name, value in batch.items():
            if not isinstance(value, Tensor) or not value.is_floating_point():
                continue
            rows = nonfinite_rows(value)
            if name == 'keypoints_3d' and 'labelled' in batch:
                rows = rows & batch['labelled'].to(rows.device, non_blocking=True)
            self.note('batch', name, rows.any())
            known = self._now.batch_rows
            self._now.batch_rows = rows if known is None else known | rows
        if 'frame_idx' in batch:
            self._now.windows = _frame_ranges(batch['frame_idx'])

    def note_prediction(self, pred: Tensor) -> None:
        """Check a prediction (B, ...)."""
        self._now.pred_rows = nonfinite_rows(pred.detach())
        self.note('prediction', 'prediction', self._now.pred_rows.any())

    def end(self) -> Tensor | None:
        """Close the iteration; returns whether anything in it was wrong, on the device.

        None if nothing was checked.
        """
        if not self._now.checks:
            return None
        ordered = sorted(self._now.checks.items(), key=lambda c: STAGES.index(c[0][0]))
        self._now.checks = dict(ordered)
        self._now.flags = torch.stack(list(self._now.checks.values()))
        self._done.append(self._now)
        return self._now.flags.any()

    def pop(self) -> list[Findings]:
        """Return all iterations since the last call, one copy from the device in all.

        Windows are read for the first iteration with a fault alone.
        """
        done, self._done = self._done, []
        if not done:
            return []
        flags = iter(torch.cat([each.flags for each in done]).tolist())
        found = [
            Findings(each.number, {check: next(flags) for check in each.checks})
            for each in done
        ]
        for each, findings in zip(done, found, strict=True):
            if findings.faults:
                findings.windows = each.read_windows()
                break
        return found


@dataclass
class _Iteration:
    number: int
    checks: dict[tuple[str, str], Tensor] = field(default_factory=dict)
    flags: Tensor | None = None
    batch_rows: Tensor | None = None
    pred_rows: Tensor | None = None
    windows: Tensor | None = None

    def read_windows(self) -> list[tuple[int, int]]:
        """Return the frames of the windows to blame; waits for the device."""
        if self.windows is None:
            return []
        windows = [tuple(window) for window in self.windows.tolist()]
        # Behind one bad window, batch norm spoils the prediction of all.
        for rows in (self.batch_rows, self.pred_rows):
            if rows is not None and len(rows) == len(windows) and rows.any():
                return [windows[i] for i in rows.nonzero()[:, 0].tolist()]
        return windows


def nonfinite_rows(value: Tensor) -> Tensor:
    """Which entries of the first axis hold NaN or infinity.

    Args:
        value: (B, ...).

    Returns:
        (B,) bool.
    """
    return ~torch.isfinite(value).flatten(1).all(1)


def name_windows(windows: Sequence[tuple[int, int]], metainfo: dict) -> str:
    """Say where windows lie: subject, action, clip, camera, frames.

    Args:
        windows: First and last frame number among the evaluated frames of the data
            set, -1 for windows without.
        metainfo: Of the data set.

    Returns:
        A few of them in full, the number of the others.
    """
    numbered = [window for window in windows if window[1] >= 0]
    named = [_name(window, metainfo.get('sequences')) for window in numbered[:SHOWN]]
    rest = len(windows) - len(named)
    if rest:
        named.append(f'{rest} more' if named else f'{rest} windows without numbers')
    return '; '.join(named) or 'the batch holds no `frame_idx` to name them by'


def _name(window: tuple[int, int], sequences: Sequence[dict] | None) -> str:
    first, last = window
    origin = ''
    if sequences:
        ends = list(accumulate(entry['frames'] for entry in sequences))
        number = bisect_right(ends, first)
        if number < len(sequences):
            entry = sequences[number]
            first, last = (f - ends[number] + entry['frames'] for f in window)
            keys = ('subject', 'action', 'clip', 'camera')
            origin = ', '.join(f'{key} {entry[key]}' for key in keys if key in entry)
    frames = f'frame {first}' if first == last else f'frames {first} to {last}'
    return f'{origin}, {frames}' if origin else f'{frames} of the data set'


def _frame_ranges(frame_idx: Tensor) -> Tensor:
    """First and last frame number (B, 2) of windows (B, T'), -1 where there is none."""
    last = frame_idx.amax(1)
    first = frame_idx.masked_fill(frame_idx < 0, BEYOND).amin(1)
    return torch.stack([first.minimum(last), last], 1)
