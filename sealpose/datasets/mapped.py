"""A data set in the joints of another skeleton, for tests across data sets."""

from typing import Any

import torch
from torch import Tensor

from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.registry import DATASETS
from sealpose.skeletons import Skeleton, map_joints


@DATASETS.register_module()
class MappedDataset(WindowDataset):
    """The sequences of a data set, given to a model of another skeleton.

    Joints are matched by the names that both skeletons declare; those that the data do
    not have are made from others, serve as input, and are left out of the evaluation.
    The origin becomes that of the model's skeleton. What was done is printed with the
    results.

    Args:
        dataset: Config of the data set; its windows are set here.
        skeleton: Skeleton that the model was trained with.
        knee_neck_height: Scale the truth of each sequence so that the length from knee
            to hip and from pelvis to neck has this median, metres: 0.92 is that of the
            universal annotations of MPI-INF-3DHP. None leaves the truth as annotated.
        window: ``input_frames``, ``output_frames`` and the others of
            :class:`WindowDataset`.
    """

    def __init__(
        self,
        dataset: dict,
        skeleton: str,
        knee_neck_height: float | None = None,
        **window: Any,
    ) -> None:
        self.knee_neck_height = knee_neck_height
        self._source = DATASETS.build(dataset)
        super().__init__(skeleton=skeleton, **window)
        meta = self._source.metainfo
        self._inherited = {k: meta[k] for k in ('dataset', 'headline') if k in meta}
        # Its arrays are copied by now.
        del self._source.store

    @property
    def metainfo(self) -> dict:
        """As of every data set, with the joints to evaluate and what was done."""
        joint_map = map_joints(self._source.skeleton, self.skeleton)
        made = [j for j in self.skeleton.joint_names if j not in joint_map.common]
        scale = (
            'as annotated'
            if self.knee_neck_height is None
            else f'truth scaled to a knee-neck height of {self.knee_neck_height} m'
        )
        remarks = (
            f'{joint_map.source.name} mapped to {joint_map.target.name}, evaluated on '
            f'the {len(joint_map.common)} joints that both have'
            + (f' (not on {", ".join(made)})' if made else '')
            + f'; origin {_origin(self.skeleton)}; scale {scale}'
        )
        return {
            **super().metainfo,
            **self._inherited,
            'joints': joint_map.common,
            'remarks': remarks,
        }

    def load_sequences(self) -> list[PoseSequence]:
        """Map every sequence of the data set."""
        joint_map = map_joints(self._source.skeleton, self.skeleton)
        origin = list(self.skeleton.origin_joints)
        sequences = []
        for sequence in self._source.store.split():
            pose = joint_map(sequence.keypoints_3d.double())
            pose = pose - pose[:, origin].mean(1, keepdim=True)
            if self.knee_neck_height is not None:
                pose = pose * (self.knee_neck_height / _height(pose, self.skeleton))
            mapped = joint_map(sequence.keypoints_2d.double()).float()
            sequences.append(
                PoseSequence(
                    **{
                        **vars(sequence),
                        'keypoints_2d': mapped,
                        'keypoints_3d': pose.float(),
                    }
                )
            )
        return sequences


def _origin(skeleton: Skeleton) -> str:
    names = [skeleton.joint_names[joint] for joint in skeleton.origin_joints]
    return names[0] if len(names) == 1 else f'mean of {" and ".join(names)}'


def _height(pose: Tensor, skeleton: Skeleton) -> Tensor:
    """Median over the frames of knee to hip plus pelvis to neck, metres."""
    neck = next(
        name
        for name in skeleton.joint_names
        if skeleton.aliases.get(name, name) == 'thorax'
    )
    thigh = torch.stack([
        _distance(pose, skeleton, f'{side}_knee', f'{side}_hip')
        for side in ('left', 'right')
    ]).mean(0)  # fmt: skip
    spine = _distance(pose, skeleton, 'pelvis', 'spine')
    back = _distance(pose, skeleton, 'spine', neck)
    return (thigh + spine + back).median()


def _distance(pose: Tensor, skeleton: Skeleton, a: str, b: str) -> Tensor:
    difference = pose[:, skeleton.index(a)] - pose[:, skeleton.index(b)]
    return torch.linalg.vector_norm(difference, dim=-1)
