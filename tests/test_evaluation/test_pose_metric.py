import json
import math
import multiprocessing
import os

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

from sealpose.evaluation import PoseMetric, evaluate_poses, save_predictions
from sealpose.evaluation.metrics.pose_metric import ALL_METRICS
from sealpose.geometry.bones import segment_lengths
from sealpose.registry import FRAME_METRICS, METRICS
from sealpose.skeletons import H36M17

# Frames of each sequence: 1 to 3 of walking, one long one of sitting.
LENGTHS = {'Walking': [3, 1], 'Sitting': [8]}
SEQUENCES = [
    {'subject': 'S1', 'action': a, 'clip': f'{a} {i}', 'camera': 'c', 'frames': length}
    for a, lengths in LENGTHS.items()
    for i, length in enumerate(lengths)
]
META = {'dataset': 'Toy', 'skeleton': 'h36m17', 'sequences': SEQUENCES}
# Every joint of a frame is off by as many millimetres along z.
ERRORS_MM = torch.tensor([1.0, 2, 3, 10, 20, 20, 20, 20, 20, 20, 20, 20])
N = len(ERRORS_MM)


def truth():
    return torch.randn(N, 17, 3, generator=torch.Generator().manual_seed(0))


def batch(frame_idx):
    """What loader and model return for windows of T' = 2 frames, T = 4."""
    frame_idx = torch.tensor(frame_idx).view(-1, 2)
    gt = truth()[frame_idx]
    pred = gt.clone()
    pred[..., 2] += ERRORS_MM[frame_idx][..., None] / 1000
    # Padding must not count, whatever the model says there.
    pred[frame_idx < 0] = torch.nan
    seen = frame_idx.float()[..., None, None].expand(-1, -1, 17, 2)
    border = torch.full((len(seen), 1, 17, 2), -9.0)
    data_batch = {
        'keypoints_2d': torch.cat([border, seen, border], 1),
        'keypoints_3d': gt,
        'frame_idx': frame_idx,
    }
    return data_batch, [{'keypoints_3d_pred': pred, 'frame_idx': frame_idx}]


def evaluated(*batches, metrics=('MPJPE',), size=6, **kwargs):
    metric = PoseMetric(metrics, **kwargs)
    metric.dataset_meta = META
    for frames in batches:
        metric.process(*batch(frames))
    return metric, metric.evaluate(size)


ALL = [[0, 1, 2, -1], [3, -1, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_means_by_hand():
    metric, found = evaluated(*ALL, name='toy')
    report = metric.report
    assert report.per_action['Walking']['MPJPE'] == pytest.approx(16 / 4, rel=1e-4)
    assert report.per_action['Sitting']['MPJPE'] == pytest.approx(20, rel=1e-4)
    assert found == report.action_mean
    assert found['MPJPE'] == pytest.approx((4 + 20) / 2, rel=1e-4)
    assert report.frame_mean['MPJPE'] == pytest.approx((16 + 8 * 20) / 12, rel=1e-4)
    assert report.frames == 12
    assert report.frames_per_action == {'Walking': 4, 'Sitting': 8}
    assert report.units == {'MPJPE': 'mm'}
    assert (report.name, report.dataset, report.skeleton) == ('toy', 'Toy', 'h36m17')


def test_velocity_stays_within_its_sequence():
    metric, _ = evaluated(*ALL, metrics=['MPJVE'])
    # Frames 0 to 2 change by 1 mm a frame; the jumps of 7 and 10 mm are cuts.
    assert metric.report.per_action['Walking']['MPJVE'] == pytest.approx(1, rel=1e-2)
    assert metric.report.per_action['Sitting']['MPJVE'] == pytest.approx(0, abs=1e-3)


def test_order_and_repetition_of_windows_do_not_matter():
    in_order, _ = evaluated(*ALL)
    shuffled, _ = evaluated([10, 11, 0, 1], ALL[1], ALL[0], ALL[2], ALL[2], [0, 1])
    assert shuffled.report == in_order.report


def test_constant_bones_of_each_person():
    free, _ = evaluated(*ALL, metrics=['LSE', 'MPJPE'])
    metric, found = evaluated(*ALL, metrics=['LSE', 'MPJPE'], constant_bones=True)
    assert free.report.frame_mean['LSE'] > 1
    assert found['LSE'] == pytest.approx(0, abs=1e-3)
    poses = torch.from_numpy(metric.predictions['keypoints_3d_pred'])
    lengths = segment_lengths(poses, H36M17)
    first = 0
    for sequence in SEQUENCES:
        last = first + sequence['frames']
        one = lengths[first:last]
        torch.testing.assert_close(one, one[:1].expand_as(one))
        assert not torch.allclose(lengths[first], lengths[last % N], atol=1e-2)
        first = last
    # What is measured is what is saved.
    error = (poses - truth()).norm(dim=-1).mean() * 1000
    assert metric.report.frame_mean['MPJPE'] == pytest.approx(error.item(), rel=1e-4)


def test_missing_frames_are_an_error():
    with pytest.raises(RuntimeError, match=r'2 of the 12 frames of Toy .* number 4;'):
        evaluated([0, 1, 2, 3, 6, 7, 8, 9, 10, 11])
    with pytest.raises(RuntimeError, match='12 of the 12 frames'):
        evaluated()


def test_a_second_evaluation_starts_anew():
    metric, first = evaluated(*ALL)
    for frames in ALL:
        metric.process(*batch(frames))
    assert metric.evaluate(6) == first
    with pytest.raises(RuntimeError, match='12 of the 12'):
        metric.evaluate(6)


def test_predictions_hold_every_frame_in_place(tmp_path):
    metric, _ = evaluated(*reversed(ALL), name='toy')
    saved = metric.predictions
    np.testing.assert_array_equal(saved['keypoints_3d_gt'], truth().numpy())
    error = saved['keypoints_3d_pred'] - saved['keypoints_3d_gt']
    np.testing.assert_allclose(error[:, 0, 2] * 1000, ERRORS_MM, rtol=1e-3)
    # The 2D keypoints of the predicted frames, without the window's borders.
    np.testing.assert_array_equal(saved['keypoints_2d'][:, 3, 1], np.arange(N))
    np.testing.assert_array_equal(saved['sequence'], [0] * 3 + [1] + [2] * 8)
    np.testing.assert_array_equal(saved['frame'], [0, 1, 2, 0, *range(8)])
    assert saved['clip'].tolist() == ['Walking 0', 'Walking 1', 'Sitting 0']
    assert str(saved['name']) == 'toy'
    save_predictions(tmp_path / 'p.npz', saved)


def test_single_frames_have_no_velocity_and_do_not_spoil_the_mean():
    sequences = [{'action': 'still', 'frames': 1}, {'action': 'moving', 'frames': 2}]
    gt = truth()[:3]
    pred = gt + torch.tensor([0, 0, 0.004])[:, None, None]
    report = evaluate_poses(
        pred,
        gt,
        sequences,
        H36M17,
        {'MPJVE': FRAME_METRICS.get('MPJVE')},
        dataset='Toy',
    )
    assert math.isnan(report.per_action['still']['MPJVE'])
    expected = 4 * 3**0.5
    assert report.action_mean['MPJVE'] == pytest.approx(expected, rel=1e-3)
    assert report.frame_mean['MPJVE'] == pytest.approx(expected, rel=1e-3)


def test_a_diverged_model_gives_nan_instead_of_a_crash():
    gt = truth()
    metrics = {name: FRAME_METRICS.get(name) for name in ('MPJPE', 'P-MPJPE', 'LSE')}
    report = evaluate_poses(
        gt * torch.nan, gt, SEQUENCES, H36M17, metrics, dataset='Toy'
    )
    assert all(math.isnan(value) for value in report.action_mean.values())


def test_an_unknown_metric_fails_at_construction():
    with pytest.raises(KeyError, match=r'MPJE.*Did you mean .*MPJPE'):
        PoseMetric(['MPJE'])


def test_config_builds_it_with_every_metric():
    with DefaultScope.overwrite_default_scope('sealpose'):
        evaluator = Evaluator({'type': 'PoseMetric'})
    evaluator.dataset_meta = META
    for frames in ALL:
        data_batch, samples = batch(frames)
        evaluator.process(samples, data_batch)
    found = evaluator.evaluate(6)
    assert list(found) == list(ALL_METRICS)
    assert set(found) <= set(FRAME_METRICS.module_dict)
    assert 0 < found['P-MPJPE'] <= found['MPJPE']
    assert METRICS.get('PoseMetric') is PoseMetric


def test_prefix_is_put_before_the_names():
    _, found = evaluated(*ALL, prefix='toy')
    assert list(found) == ['toy/MPJPE']


def worker(rank, folder):
    """Evaluate one half of the windows; the result is a file."""
    os.chdir(folder)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    # The second process has one batch, filled up with the first windows again.
    metric, found = evaluated(*(ALL[:2] if rank == 0 else [ALL[2] + [0, 1]]))
    result = {'found': found, 'report': metric.report and metric.report.frame_mean}
    with open(f'rank{rank}.json', 'w') as file:
        json.dump(result, file)
    # gloo may abort at the interpreter's exit; the file is what counts.
    os._exit(0)


def test_two_processes_lose_nothing_and_count_nothing_twice(tmp_path):
    single, _ = evaluated(*ALL)
    context = multiprocessing.get_context('fork')
    workers = [context.Process(target=worker, args=(r, tmp_path)) for r in range(2)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(timeout=60)
        process.kill()
    first, second = (
        json.loads((tmp_path / f'rank{rank}.json').read_text()) for rank in range(2)
    )
    assert first['report'] == single.report.frame_mean
    assert first['found'] == second['found'] == single.report.action_mean
    assert second['report'] is None
