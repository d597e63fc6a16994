"""What holds for every metric: blocks, precision, and poses that are hardly poses."""

import pytest
import torch

from sealpose.evaluation import aggregate, evaluate_poses
from sealpose.evaluation.metrics.pose_metric import ALL_METRICS
from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import H36M17, get_skeleton

# The data set tells which skeletons they are made for.
WHOLE_BODY = ('H3WB', '-body', '-face', '-hands')
GENERAL = (*ALL_METRICS, 'MPSSE', 'PCK-all', 'AUC-all')


def skeleton_of(metric):
    if any(part in metric for part in WHOLE_BODY):
        return get_skeleton('coco_wholebody133')
    return get_skeleton('mpi_inf_3dhp17') if '-14' in metric else H36M17


def poses(frames, joints=17, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    gt = 0.4 * torch.randn(frames, joints, 3, generator=generator, dtype=torch.float64)
    pred = gt + 0.05 * torch.randn(gt.shape, generator=generator, dtype=gt.dtype)
    return (pred - pred[:, :1]).to(dtype), (gt - gt[:, :1]).to(dtype)


def figures(metrics, pred, gt, *lengths):
    sequences = [
        dict(action=f'action {i % 2}', frames=frames)
        for i, frames in enumerate(lengths or [len(pred)])
    ]
    functions = {name: FRAME_METRICS.get(name) for name in metrics}
    return evaluate_poses(pred, gt, sequences, H36M17, functions, dataset='toy')


@pytest.mark.parametrize(
    'metric', [name for name, m in FRAME_METRICS.module_dict.items() if m.framewise]
)
def test_framewise_metrics_see_one_frame_at_a_time(metric):
    skeleton = skeleton_of(metric)
    pred, gt = poses(5, skeleton.num_joints, torch.float64)
    function = FRAME_METRICS.get(metric)
    alone = [function(pred[i : i + 1], gt[i : i + 1], skeleton) for i in range(5)]
    torch.testing.assert_close(function(pred, gt, skeleton), torch.cat(alone))


def test_most_metrics_are_framewise():
    others = {n for n, m in FRAME_METRICS.module_dict.items() if not m.framewise}
    assert {'MPJVE', 'MPSCE', 'BLD', 'Jitter', 'Flagged'} == others


def test_blocks_do_not_change_the_figures(monkeypatch):
    pred, gt = poses(100)
    lengths = (7, 40, 1, 30, 22)
    whole = figures(GENERAL, pred, gt, *lengths)
    monkeypatch.setitem(aggregate.BLOCK, 'cpu', 9)
    blocks = figures(GENERAL, pred, gt, *lengths)
    for mean in ('action_mean', 'frame_mean'):
        assert getattr(blocks, mean) == pytest.approx(getattr(whole, mean), rel=1e-6)


def test_a_metric_that_says_nothing_gets_whole_sequences(monkeypatch):
    monkeypatch.setitem(aggregate.BLOCK, 'cpu', 9)
    seen = []
    pred, gt = poses(50)

    def centred(p, y, skeleton):
        seen.append(len(p))
        return p[:, 0, 0]

    for key in ('unit', 'higher_is_better', 'framewise', 'average'):
        setattr(centred, key, getattr(FRAME_METRICS.get('MPJVE'), key))
    sequences = [dict(action='a', frames=frames) for frames in (30, 20)]
    evaluate_poses(pred, gt, sequences, H36M17, {'C': centred}, dataset='toy')
    assert seen == [30, 20]


@pytest.mark.parametrize('kind', ['plain', 'mirrored', 'flat', 'perfect', 'huge'])
def test_float32_loses_no_digit_that_a_table_shows(kind):
    pred, gt = poses(200)
    if kind == 'mirrored':
        pred = pred * torch.tensor([-1.0, 1, 1])
    if kind == 'flat':
        pred, gt = pred * torch.tensor([1.0, 1, 0]), gt * torch.tensor([1.0, 1, 0])
    if kind == 'perfect':
        pred = gt * (1 + 1e-6)
    if kind == 'huge':
        pred = pred * 1e3
    single = figures(GENERAL, pred, gt, 120, 80)
    double = figures(GENERAL, pred.double(), gt.double(), 120, 80)
    for mean in ('action_mean', 'frame_mean'):
        expected = pytest.approx(getattr(double, mean), abs=2e-4, rel=1e-6)
        assert getattr(single, mean) == expected


@pytest.mark.parametrize('scale', [0.0, 1e-12, 1e12])
def test_predictions_out_of_all_proportion_are_measured(scale):
    pred, gt = poses(20)
    found = figures(GENERAL, pred * scale, gt).frame_mean
    assert all(torch.tensor(list(found.values())).isfinite())
    # What forgives the scale does not see it; nothing of a pose remains at 0.
    if scale:
        as_it_is = figures(GENERAL, pred, gt).frame_mean
        for metric in ('P-MPJPE', 'N-MPJPE', 'LSE', 'Angle'):
            assert found[metric] == pytest.approx(as_it_is[metric], rel=1e-4)
