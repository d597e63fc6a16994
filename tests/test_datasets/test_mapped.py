"""A data set in the joints of another skeleton: what a cross-dataset test sees."""

import numpy as np
import pytest
import torch

from sealpose.apis import build_tester, build_trainer, evaluate
from sealpose.datasets.mapped import MappedDataset
from sealpose.datasets.sequences import PoseSequence
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.registry import DATASETS
from sealpose.skeletons import H36M17, get_skeleton

MPI = get_skeleton('mpi_inf_3dhp17')
# Joints of Human3.6M in MPI-INF-3DHP's order, typed by hand; nose from the head.
H36M_FROM_MPI = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


@DATASETS.register_module(force=True)
class RandomMPI(WindowDataset):
    """Random poses in MPI-INF-3DHP's joints; two frames of the first are not valid."""

    def load_sequences(self):
        torch.manual_seed(0)
        for clip, frames in (('a', 6), ('b', 4)):
            pose = torch.randn(frames, 17, 3)
            valid = torch.ones(frames, dtype=torch.bool)
            valid[:2] = clip == 'b'
            yield PoseSequence(
                torch.randn(frames, 17, 2), pose, 'TS1', 'TS1', clip, '0', valid
            )


def mapped(**settings):
    source = dict(type='RandomMPI', skeleton='mpi_inf_3dhp17')
    return MappedDataset(source, 'h36m17', **settings)


def test_joints_arrive_where_the_other_skeleton_has_them():
    source = RandomMPI('mpi_inf_3dhp17')
    data = mapped()
    x, y = source.store.keypoints_2d, source.store.keypoints_3d
    torch.testing.assert_close(data.store.keypoints_2d, x[:, H36M_FROM_MPI])
    expected = y[:, H36M_FROM_MPI] - y[:, 14:15]
    torch.testing.assert_close(data.store.keypoints_3d, expected)
    assert torch.equal(data.store.valid, source.store.valid)


def test_evaluation_is_told_the_common_joints_and_what_was_done():
    info = mapped().metainfo
    assert info['dataset'] == 'RandomMPI'
    assert set(H36M17.joint_names) - set(info['joints']) == {'nose'}
    assert 'mpi_inf_3dhp17 mapped to h36m17' in info['remarks']
    assert 'the 16 joints that both have (not on nose)' in info['remarks']
    assert 'origin pelvis; scale as annotated' in info['remarks']
    assert [s['frames'] for s in info['sequences']] == [4, 4]


def test_truth_is_scaled_to_one_body_height():
    data = mapped(knee_neck_height=0.92)
    for sequence in data.store.split():
        pose = sequence.keypoints_3d.numpy()

        def bone(a, b, pose=pose):
            return np.linalg.norm(pose[:, a] - pose[:, b], axis=-1)

        thighs = (bone(1, 2) + bone(4, 5)) / 2
        height = np.sort(thighs + bone(0, 7) + bone(7, 8))
        # The lower median, as torch takes it.
        assert height[(len(height) - 1) // 2] == pytest.approx(0.92, rel=1e-5)
    assert 'knee-neck height of 0.92 m' in data.metainfo['remarks']


def test_other_skeletons_that_cannot_be_made_are_refused():
    source = dict(type='RandomMPI', skeleton='mpi_inf_3dhp17')
    with pytest.raises(ValueError, match="'coco17' cannot be made from"):
        MappedDataset(source, 'coco17')


def test_a_checkpoint_is_tested_on_another_data_set(tiny_cfg):
    config = 'configs/baseline/simplebaseline_sample.py'
    runner = build_trainer(tiny_cfg(config, 'trained'))
    runner.train()
    cfg = tiny_cfg(config, 'tested')
    source = dict(type='RandomMPI', skeleton='mpi_inf_3dhp17')
    cfg.test_dataloader.dataset = dict(
        type='MappedDataset', dataset=source, skeleton='h36m17'
    )
    tester = build_tester(cfg, f'{runner.work_dir}/epoch_2.pth')
    metric = evaluate(tester)
    report = metric.report
    assert report.frames == 8
    assert report.skeleton == 'h36m17, 16 joints'
    assert 'not on nose' in report.protocol
    # MPJPE over the 16 common joints, from the predictions of all 17.
    error = np.linalg.norm(
        metric.predictions['keypoints_3d_pred'] - metric.predictions['keypoints_3d_gt'],
        axis=-1,
    )
    kept = [j for j in range(17) if H36M17.joint_names[j] != 'nose']
    assert report.frame_mean['MPJPE'] == pytest.approx(
        1000 * error[:, kept].mean(), rel=1e-5
    )
