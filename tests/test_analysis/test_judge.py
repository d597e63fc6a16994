import math

import pytest
import torch
from scipy.stats import spearmanr

from sealpose.analysis.attribution import rank_agreement
from sealpose.analysis.calibration import equal_bins
from sealpose.analysis.corruptions import KINDS, corrupt
from sealpose.analysis.energy_field import EnergyField, Windows
from sealpose.analysis.gradients import cosines, descend, metric_gradient
from sealpose.analysis.judge import Judge
from sealpose.analysis.ranking import ranked_right, violated_hinges
from sealpose.seal import MarginObjective, NCEObjective
from tests.test_analysis.analytic import (
    SKELETON,
    Distance,
    Nonsense,
    pose_set,
    random_errors,
)

FRAMES = 80


def judge(loss_net, errors=None, objective=None):
    poses = pose_set(random_errors(FRAMES) if errors is None else errors)
    return Judge(poses, EnergyField(loss_net, poses.x), objective)


def test_an_energy_that_is_the_error_knows_everything():
    found = judge(Distance(), objective=MarginObjective(scale=0.9))
    overview = found.overview()
    assert overview['energy_true'].value == 0
    error = overview['errors']['MPJPE']
    assert overview['energy_gap'].value * 1000 == pytest.approx(error.value)
    correlations = found.correlations()
    for energy in ('energy', 'gap'):
        assert correlations[energy]['MPJPE']['all_frames'].value == pytest.approx(1)
        within = correlations[energy]['MPJPE']['within_sequences']
        assert (within.low, within.high) == pytest.approx((1, 1))
        assert correlations[energy]['MPJPE']['sequences'] == 4
    ranking = found.ranking(found.poses.pred, found.energy_pred)
    assert ranking['ranked_right_%'].value == 100
    assert ranking['violated_%'].value == 0
    assert all(c['ranked_right_%'].value == 100 for c in found.corruptions())
    gradient = found.gradients()
    assert gradient['towards']['MPJPE']['cosine'].value == pytest.approx(1)
    assert gradient['towards']['MPJPE']['positive_%'].value == 100
    assert gradient['over_pose_gradient'].value == pytest.approx(1)
    errors = [b['errors']['MPJPE'].value for b in found.calibration()]
    assert len(errors) == 10 and errors == sorted(errors)


def test_an_energy_that_is_constant_knows_nothing():
    found = judge(Nonsense(), objective=MarginObjective())
    ranking = found.ranking(found.poses.pred, found.energy_pred)
    assert ranking['ranked_right_%'].value == 50
    assert ranking['violated_%'].value == 100
    over = found.correlations()['energy']['MPJPE']
    assert math.isnan(over['all_frames'].value) and over['sequences'] == 0
    assert math.isnan(found.gradients()['towards']['MPJPE']['positive_%'].value)
    (steps, _) = found.steps([0.01], 3)
    assert steps['change']['MPJPE'].value == 0


def test_steps_along_a_perfect_field_take_off_their_length():
    # Every joint 40 mm off: 5 steps of 2 mm along unit vectors leave 30.
    errors = torch.nn.functional.normalize(random_errors(FRAMES), dim=-1) * 0.04
    found = judge(Distance(), errors)
    downhill, aside = found.steps([0.002], 5)
    assert (downhill['direction'], aside['direction']) == ('energy', 'random')
    assert downhill['change']['MPJPE'].value == pytest.approx(-10, abs=1e-3)
    assert downhill['better_%'].value == 100
    assert abs(aside['change']['MPJPE'].value) < 3
    end = descend(found.field, found.poses.pred, 0.002, 5)
    moved = (end - found.poses.pred).square().sum(-1).mean(-1).sqrt()
    torch.testing.assert_close(moved, torch.full((FRAMES,), 0.01))


def test_attribution_picks_the_disturbed_joint():
    errors = 0.001 * random_errors(FRAMES)
    wrist = SKELETON.index('left_wrist')
    errors[:, wrist] += torch.tensor([0.0, 0.05, 0.02])
    found = judge(Distance(power=2), errors)
    attribution = found.attribution()
    joints = attribution['joints']
    assert max(joints, key=lambda j: joints[j]['gradient'].value) == 'left_wrist'
    assert joints['left_wrist']['error_mm'].value == pytest.approx(53.9, abs=0.5)
    # d/dy of mean_j |y_j - f_j|²: twice the error over the number of joints.
    norm = joints['left_wrist']['gradient'].value
    assert norm == pytest.approx(2 * 0.0539 / 17, rel=0.01)
    assert attribution['same_worst_%'].value == 100
    assert attribution['rank_agreement'].value == pytest.approx(1)
    located = found.localisation()
    assert located['found_%'].value == 100
    assert located['cosine_back'].value == pytest.approx(1)


def test_an_energy_that_pushes_the_wrong_way_is_found_out():
    class Backwards(Distance):
        def forward(self, x, y):
            return -super().forward(x, y)

    found = judge(Backwards())
    assert (
        found.ranking(found.poses.pred, found.energy_pred)['ranked_right_%'].value == 0
    )
    towards = found.gradients()['towards']['MPJPE']
    assert (towards['cosine'].value, towards['positive_%'].value) == pytest.approx(
        (-1, 0)
    )
    assert found.localisation()['points_back_%'].value == 0


def test_frames_of_context_do_not_count():
    poses = pose_set(random_errors(FRAMES))
    # Frame 0 is context alone, and its prediction absurd.
    poses.pred[0] += 1e3
    rows = torch.arange(FRAMES)[:, None].repeat(1, 2)
    rows[:, 0] = 0
    windows = Windows(rows[1:], torch.tensor([[False, True]]).expand(FRAMES - 1, 2))
    found = Judge(poses, EnergyField(Distance(), poses.x, windows))
    assert found.overview()['errors']['MPJPE'].value < 1000
    assert found.gradients()['towards']['MPJPE']['cosine'].value == pytest.approx(1)
    assert found.steps([0.001], 2)[0]['change']['MPJPE'].value < 0


def test_ties_count_half():
    right = ranked_right(torch.tensor([2.0, 1, 1]), torch.tensor([1.0, 1, 2]))
    assert right.tolist() == [1, 0.5, 0]


def test_hinges_by_hand():
    y_pos = torch.zeros(3, 17, 3)
    y_neg = torch.zeros(3, 17, 3)
    y_neg[..., 0] = 0.1  # MPJPE of 0.1 m: with scale 2 a margin of 0.2.
    energies = torch.tensor([1.3, 1.1, 0.9]), torch.ones(3)
    margin = MarginObjective(scale=2.0)
    assert violated_hinges(margin, *energies, y_neg, y_pos).tolist() == [0, 1, 1]
    for without in (MarginObjective(scale=-1.0), NCEObjective(), None):
        assert violated_hinges(without, *energies, y_neg, y_pos) is None


def test_gradient_of_a_metric_and_cosine_by_hand():
    y = torch.tensor([[[3.0, 4, 0]]])
    slope = metric_gradient(lambda y: y.square().sum((-2, -1)), y)
    assert slope.tolist() == [[[6, 8, 0]]]
    # (6, 8, 0) against (1, 0, 0).
    assert cosines(slope, torch.tensor([[[5.0, 0, 0]]])).item() == pytest.approx(0.6)
    tiny = cosines(slope * 1e-25, torch.tensor([[[5e-25, 0, 0]]]))
    assert tiny.item() == pytest.approx(0.6)


def test_rank_agreement_is_spearmans_with_ties():
    generator = torch.Generator().manual_seed(0)
    a = torch.randint(5, (6, 17), generator=generator).float()
    b = torch.randint(5, (6, 17), generator=generator).float()
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    assert rank_agreement(a, b).tolist() == pytest.approx(expected, abs=1e-6)


def test_bins_are_equal_and_ordered():
    values = torch.rand(25, generator=torch.Generator().manual_seed(0))
    bins = equal_bins(values, 10)
    assert bins.bincount().tolist() == [3, 2] * 5
    assert all(values[bins == b].max() < values[bins == b + 1].min() for b in range(9))
    assert equal_bins(torch.zeros(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.type)
def test_corruptions_grow_and_leave_the_random_stream_alone(kind):
    poses = pose_set(random_errors(FRAMES))
    windows = [v[:, None] for v in (poses.x, poses.pred, poses.gt)]
    state = torch.get_rng_state()
    errors = []
    for _, config in kind.configs():
        wrong = corrupt(config, *windows, SKELETON)
        assert torch.equal(wrong, corrupt(config, *windows, SKELETON))
        errors.append(poses.metric('MPJPE', wrong[:, 0]).mean().item())
    assert errors[0] > 0 and errors == sorted(errors)
    assert torch.equal(torch.get_rng_state(), state)
