"""The evaluation of a pose-net in mmengine's loops."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from sealpose.evaluation.aggregate import evaluate_poses
from sealpose.evaluation.predictions import SPACE, UNIT
from sealpose.evaluation.report import EvaluationReport
from sealpose.geometry.kinematics import with_constant_bones
from sealpose.registry import FRAME_METRICS, METRICS
from sealpose.skeletons import get_skeleton, sub_skeleton

# Entry to one row per frame, of a batch or of the whole data set.
Frames = dict[str, Tensor]

ALL_METRICS = (
    'MPJPE', 'P-MPJPE', 'N-MPJPE', 'MPJVE',
    'LSE', 'LSE-mm', 'BSLE', 'BSLE-mm', 'LLE', 'LLE-mm',
    'MPSCE', 'Angle', 'MPJPE-worst5', 'MPJPE-worst1',
)  # fmt: skip

# What can be measured in the wild.
TRUTHLESS_METRICS = ('LSE', 'LSE-mm', 'BLD', 'Jitter', 'Flagged')


@METRICS.register_module()
class PoseMetric(BaseMetric):
    """Evaluates every frame of a data set once, sequence by sequence.

    Windows may come in any order, from any number of processes, and more than once: a
    frame is identified by its number in the data set.

    Args:
        measures: Names from FRAME_METRICS, in the order of the table. (A config with an
            entry ``metrics`` would be taken for mmengine's Evaluator.)
        name: Name of the model, for reports.
        collect_device: ``cpu`` or ``gpu``: how processes exchange their predictions.
        prefix: Put before the names of the metrics in the log.
        device: Where the figures are computed; ``cuda`` for a GPU.
        constant_bones: First give the predictions of each sequence, which shows one
            person, the same bones: mean lengths over the sequence, left and right
            alike. Needs the whole sequence, so it is nothing for a live stream.

    Attributes:
        report: The figures of the last evaluation, in the main process.
        predictions: All poses of it, as :func:`save_predictions` takes them.
    """

    default_prefix = ''

    def __init__(
        self,
        measures: Sequence[str] = ALL_METRICS,
        name: str = '',
        collect_device: str = 'cpu',
        prefix: str | None = None,
        device: str = 'cpu',
        constant_bones: bool = False,
    ) -> None:
        super().__init__(collect_device, prefix)
        self.device = device
        self.constant_bones = constant_bones
        self.metrics = {metric: FRAME_METRICS.get(metric) for metric in measures}
        self.name = name
        self.report: EvaluationReport | None = None
        self.predictions: dict[str, np.ndarray] | None = None

    def process(
        self, data_batch: Mapping[str, Tensor], data_samples: Sequence[dict]
    ) -> None:
        """Keep the frames of a batch.

        Args:
            data_batch: ``keypoints_2d`` (B, T, J, 2) screen-normalised and
                ``keypoints_3d`` (B, T', J, 3), metres, root-relative, camera axes.
            data_samples: One dict: ``keypoints_3d_pred`` (B, T', J, 3), and
                ``frame_idx`` (B, T') with the number of each frame in the data set, -1
                for padding.
        """
        (sample,) = data_samples
        pred = sample['keypoints_3d_pred']
        frame_idx = sample['frame_idx'].cpu()
        inside = frame_idx >= 0
        padding = (data_batch['keypoints_2d'].shape[1] - pred.shape[1]) // 2
        seen = data_batch['keypoints_2d'][:, padding : padding + pred.shape[1], :, :2]
        frames = {
            'frame_idx': frame_idx,
            'keypoints_3d_pred': pred.float(),
            'keypoints_3d_gt': data_batch['keypoints_3d'],
            'keypoints_2d': seen,
        }
        self.results.append({key: v.cpu()[inside] for key, v in frames.items()})

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the frames of all processes and evaluate them.

        Args:
            size: Windows in the data set; not needed, frames tell what is complete.

        Returns:
            Metric to its mean over the actions, or over the frames where that is the
            headline of the data set.
        """
        # mmengine cuts what it gathers to `size` results, on the assumption of one
        # result per window in the order of the sampler. One result per process, which
        # holds all its batches, is never cut.
        self.results = [self.results]
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list[list[Frames]]) -> dict[str, float]:
        """Put the frames into place, evaluate, print the table."""
        meta = self.dataset_meta
        self._check_truth(meta)
        sequences = meta['sequences']
        frames = self._frames_in_order(list(chain(*results)), sequences)
        skeleton = get_skeleton(meta['skeleton'])
        if self.constant_bones:
            lengths = [sequence['frames'] for sequence in sequences]
            persons = frames['keypoints_3d_pred'].split(lengths)
            frames['keypoints_3d_pred'] = torch.cat(
                [with_constant_bones(poses, skeleton) for poses in persons]
            )
        joints = meta.get('joints', skeleton.joint_names)
        pred, gt = frames['keypoints_3d_pred'], frames['keypoints_3d_gt']
        if len(joints) < skeleton.num_joints:
            compared = [skeleton.index(joint) for joint in joints]
            pred, gt = pred[:, compared], gt[:, compared]
            skeleton = sub_skeleton(skeleton, joints)
        self.report = evaluate_poses(
            pred.to(self.device),
            gt.to(self.device),
            sequences,
            skeleton,
            self.metrics,
            dataset=meta['dataset'],
            name=self.name,
            remarks=meta.get('remarks', ''),
            headline=meta.get('headline', 'action_mean'),
        )
        self.predictions = self._describe(frames)
        print_log('\n' + self.report.table(), logger='current')
        return dict(getattr(self.report, self.report.headline))

    def _check_truth(self, meta: Mapping) -> None:
        if meta.get('has_truth', True):
            return
        blind = [name for name, m in self.metrics.items() if m.needs_truth]
        if blind:
            raise ValueError(
                f'{meta["dataset"]} has no 3D truth to measure {", ".join(blind)} '
                'against; choose measures that need none: '
                f'{", ".join(TRUTHLESS_METRICS)}'
            )

    def _frames_in_order(
        self, batches: list[Frames], sequences: Sequence[dict]
    ) -> Frames:
        total = sum(sequence['frames'] for sequence in sequences)
        found = torch.zeros(total, dtype=torch.bool)
        for batch in batches:
            found[batch['frame_idx']] = True
        missing = (~found).nonzero()
        if len(missing):
            raise RuntimeError(
                f'{len(missing)} of the {total} frames of '
                f'{self.dataset_meta["dataset"]} were not predicted, the first is '
                f'number {missing[0].item()}; every frame is evaluated: the stride of '
                'the test windows must not exceed their output_frames, and the '
                'sampler must visit all of them'
            )
        keys = ('keypoints_3d_pred', 'keypoints_3d_gt', 'keypoints_2d')
        frames = {
            key: batches[0][key].new_empty(total, *batches[0][key].shape[1:])
            for key in keys
        }
        for batch in batches:
            for key, value in frames.items():
                value[batch['frame_idx']] = batch[key]
        if not self.dataset_meta.get('has_truth', True):
            frames['keypoints_3d_gt'].fill_(torch.nan)
        return frames

    def _describe(self, frames: Frames) -> dict[str, np.ndarray]:
        sequences = self.dataset_meta['sequences']
        lengths = [sequence['frames'] for sequence in sequences]
        texts = {
            key: np.array([sequence[key] for sequence in sequences], dtype=np.str_)
            for key in ('subject', 'action', 'clip', 'camera')
        }
        return dict(
            **{key: value.numpy() for key, value in frames.items()},
            sequence=np.repeat(np.arange(len(lengths)), lengths),
            frame=np.concatenate([np.arange(length) for length in lengths]),
            **texts,
            skeleton=np.array(self.dataset_meta['skeleton']),
            unit=np.array(UNIT),
            space=np.array(SPACE),
            dataset=np.array(self.dataset_meta['dataset']),
            name=np.array(self.name),
        )
