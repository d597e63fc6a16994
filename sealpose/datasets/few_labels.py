"""A data set of which a few windows keep their truth, and 2D from anywhere."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sealpose.datasets.label_budget import choose_labelled
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.registry import DATASETS

# Windows that are located at once.
CHUNK = 65536


@DATASETS.register_module()
class FewLabels(Dataset):
    """The windows of a data set; most of them give their 2D keypoints alone.

    A batch has one more entry, ``labelled`` (B,) bool. The truth of the other windows
    is NaN, so that whatever uses it is found out. Which windows are labelled depends on
    the data and ``seed`` alone, never on the seed of a training. Use it with
    :class:`~sealpose.datasets.samplers.FewLabelsBatchSampler`, which puts the labelled
    windows of a batch first and logs how many there are.

    Args:
        dataset: Config of the data set that has truth.
        share: Part of its windows that keep their truth.
        by: What is labelled or not as a whole: see
            :func:`~sealpose.datasets.label_budget.choose_labelled`.
        seed: Chooses the labelled windows.
        unlabelled: Configs of further data sets with the same skeleton, of which the 2D
            keypoints alone are used: other people, cameras, the output of a detector.
        window: ``input_frames``, ``output_frames`` and the others of
            :class:`WindowDataset`, for all data sets that do not set them.

    Raises:
        ValueError: an impossible budget, or data sets whose skeletons or windows
            differ.
    """

    def __init__(
        self,
        dataset: dict,
        share: float,
        by: str = 'clip',
        seed: int = 0,
        unlabelled: Sequence[dict] = (),
        **window: Any,
    ) -> None:
        self.datasets: list[WindowDataset] = [
            DATASETS.build({**window, **config}) for config in (dataset, *unlabelled)
        ]
        self.share, self.by, self.seed = share, by, seed
        self.skeleton = self.datasets[0].skeleton
        for other in self.datasets[1:]:
            _check_alike(self.datasets[0], other)
        self._ends = torch.tensor([len(d) for d in self.datasets]).cumsum(0)
        self.labelled = self._choose()

    @property
    def num_source_windows(self) -> int:
        """Windows of the data set that has truth, labelled or not."""
        return len(self.datasets[0])

    @property
    def metainfo(self) -> dict:
        """As of the data set that has truth; ``labels`` says how much of it is used."""
        return dict(self.datasets[0].metainfo, labels=self.summary)

    @property
    def summary(self) -> str:
        """How many windows, frames, clips and subjects are labelled, in a line."""
        source = self.datasets[0]
        count = int(self.labelled.sum())
        sequence, _, frames = _locate(source, self.labelled.nonzero()[:, 0])
        entries = source.store.sequences
        kept = [entries[number] for number in sequence.unique().tolist()]
        parts = [
            f'{count} of {len(source)} windows of {type(source).__name__} labelled '
            f'({count / len(source):.2%}, asked for {self.share:.2%} by {self.by}, '
            f'seed {self.seed})',
            f'{frames} of {source.store.num_frames} frames',
            f'{_distinct(kept, "subject", "clip")} of '
            f'{_distinct(entries, "subject", "clip")} clips',
            f'{_distinct(kept, "subject")} of {_distinct(entries, "subject")} subjects',
            *(f'{len(d)} of {type(d).__name__} unlabelled' for d in self.datasets[1:]),
        ]
        return ', '.join(parts)

    def check_backbone(self, backbone: torch.nn.Module) -> None:
        """Let the data sets refuse a backbone that does not fit them."""
        for dataset in self.datasets:
            if hasattr(dataset, 'check_backbone'):
                dataset.check_backbone(backbone)

    def __len__(self) -> int:
        return len(self.labelled)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch = self.gather(torch.tensor([index]))
        return {name: value[0] for name, value in batch.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Fetch a batch as :meth:`gather`, wherever the data sets put theirs."""
        return self._fetch(torch.as_tensor(indices), '__getitems__')

    def gather(self, sample_idx: Tensor) -> dict[str, Tensor]:
        """Fetch a batch of windows from the memory of the host.

        Args:
            sample_idx: (B,) int64, which windows; those of the further data sets come
                after those of the first.

        Returns:
            As :meth:`WindowDataset.gather`, and ``labelled`` (B,) bool. Where it is
            false, ``keypoints_3d`` is NaN; ``frame_idx`` is -1 in windows of the
            further data sets.
        """
        return self._fetch(sample_idx, 'gather')

    def _fetch(self, sample_idx: Tensor, method: str) -> dict[str, Tensor]:
        owner = torch.bucketize(sample_idx, self._ends, right=True)
        parts, places = [], []
        for number, dataset in enumerate(self.datasets):
            mine = (owner == number).nonzero()[:, 0]
            if len(mine):
                first = self._ends[number] - len(dataset)
                parts.append(getattr(dataset, method)(sample_idx[mine] - first))
                places.append(mine)
        batch = parts[0] if len(parts) == 1 else _merge(parts, torch.cat(places))
        labelled = self.labelled[sample_idx]
        batch['keypoints_3d'][~labelled] = torch.nan
        batch['frame_idx'][owner > 0] = -1
        return dict(batch, labelled=labelled)

    def _choose(self) -> Tensor:
        source = self.datasets[0]
        sequence, start, _ = _locate(source, torch.arange(len(source)))
        labelled = torch.zeros(int(self._ends[-1]), dtype=torch.bool)
        labelled[: len(source)] = choose_labelled(
            sequence, start, source.store.sequences, self.share, self.by, self.seed
        )
        return labelled


def _locate(dataset: WindowDataset, sample_idx: Tensor) -> tuple[Tensor, Tensor, int]:
    """Find windows: sequence, first predicted frame, number of frames with truth."""
    before = (dataset.target_frames - dataset.output_frames) // 2
    used = torch.zeros(dataset.store.num_frames, dtype=torch.bool)
    rows = []
    for chunk in sample_idx.split(CHUNK):
        _, targets, _ = dataset.index.rows(chunk)
        used[targets] = True
        rows.append(targets[:, before])
    first = torch.cat(rows)
    starts, ends = dataset.store.starts, dataset.store.lengths.cumsum(0)
    sequence = torch.searchsorted(ends, first, right=True)
    return sequence, first - starts[sequence], int(used.sum())


def _merge(parts: Sequence[dict[str, Tensor]], places: Tensor) -> dict[str, Tensor]:
    order = places.argsort()
    return {name: torch.cat([part[name] for part in parts])[order] for name in parts[0]}


def _distinct(sequences: Sequence[dict], *names: str) -> int:
    return len({tuple(entry[name] for name in names) for entry in sequences})


def _check_alike(first: WindowDataset, other: WindowDataset) -> None:
    names = [type(dataset).__name__ for dataset in (first, other)]
    if first.skeleton.name != other.skeleton.name:
        raise ValueError(
            f'{names[1]} has the skeleton {other.skeleton.name!r}, but {names[0]} '
            f'{first.skeleton.name!r}; wrap it: dict(type="MappedDataset", '
            f'dataset=..., skeleton={first.skeleton.name!r})'
        )
    windows = [
        (d.input_frames, d.output_frames, d.target_frames) for d in (first, other)
    ]
    if windows[0] != windows[1]:
        raise ValueError(
            f'the windows (input, output, target frames) of {names[0]} are '
            f'{windows[0]}, but those of {names[1]} {windows[1]}; set them for '
            'FewLabels alone'
        )
