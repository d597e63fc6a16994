import pytest
import torch

from sealpose.seal import MarginObjective, RegressionObjective
from sealpose.seal.objectives.distances import PoseDistance
from sealpose.skeletons import Skeleton

from .bodies import BODY, body, random_poses, rotations


def distance(name, y, truth=None):
    truth = body() if truth is None else truth
    return PoseDistance(name, BODY)(y, truth).item()


def test_one_stretched_bone():
    # 0.6 m becomes 0.75 m: a quarter more in one of five segments.
    assert distance('bone_length', body(neck=0.75)) == pytest.approx(0.25 / 5)
    assert distance('bone_length', body(neck=0.45)) == pytest.approx(0.25 / 5)
    # It is relative to the truth, not to the prediction.
    assert distance('bone_length', body(), body(neck=0.75)) == pytest.approx(0.2 / 5)
    assert distance('symmetry', body(neck=0.75)) == 0
    assert distance('angle', body(neck=0.75)) == pytest.approx(0, abs=1e-7)


def test_one_asymmetric_pair():
    # |0.5 - 0.3| / 0.8 in one of two pairs.
    lopsided = body(left=0.5)
    assert distance('symmetry', lopsided) == pytest.approx(0.25 / 2)
    assert distance('symmetry', body(right=0.5)) == pytest.approx(0.25 / 2)
    # The truth may be lopsided too: only what exceeds it counts, pair by pair.
    assert distance('symmetry', lopsided, body(right=0.5)) == pytest.approx(0, abs=1e-7)
    assert distance('symmetry', body(), lopsided) == 0
    other = body(left_hand=0.3, right_hand=0.1)
    assert distance('symmetry', other, lopsided) == pytest.approx(0.5 / 2)


def test_a_bone_at_a_right_angle():
    turned, back = body(), body()
    turned[1] = torch.tensor([0.0, 0.0, -0.6])
    back[1] = torch.tensor([0.0, 0.6, 0.0])
    assert distance('angle', turned) == pytest.approx(0.5 / 5)
    assert distance('angle', back) == pytest.approx(1 / 5)
    assert distance('bone_length', turned) == pytest.approx(0, abs=1e-7)


def test_weights_add_up():
    # MPJPE: one of six joints is off by 0.15 m.
    value = distance({'bone_length': 2.0, 'mpjpe': 10.0}, body(neck=0.75))
    assert value == pytest.approx(2 * 0.05 + 10 * 0.025)


@pytest.mark.parametrize('name', ['bone_length', 'symmetry', 'angle'])
def test_structure_does_not_notice_where_a_body_stands(name):
    measure = PoseDistance(name, 'h36m17')
    _, pred, true = random_poses('h36m17', 3, 2)
    value = measure(pred, true)
    assert value.shape == (3, 2) and value.sum() > 0.05
    torch.testing.assert_close(measure(pred + 1.0, true - 2.0), value)
    turn = rotations(3)
    if name != 'angle':
        torch.testing.assert_close(measure(pred @ turn, true), value)
    torch.testing.assert_close(measure(pred @ turn, true @ turn), value)
    assert measure(true, true).abs().max() < 1e-9


def test_bones_without_length_have_finite_distances_and_gradients():
    for name in ('bone_length', 'symmetry', 'angle'):
        pred = torch.zeros(6, 3, requires_grad=True)
        value = PoseDistance(name, BODY)(pred, body())
        value.backward()
        assert value.isfinite() and pred.grad.isfinite().all()
        assert PoseDistance(name, BODY)(body(), torch.zeros(6, 3)).isfinite()


@pytest.mark.parametrize('objective', [MarginObjective, RegressionObjective])
def test_bad_distances_are_named(objective):
    with pytest.raises(ValueError, match=r"'angle' compares segments.*`skeleton`"):
        objective('angle')
    with pytest.raises(ValueError, match='so it needs `skeleton`'):
        objective({'mpjpe': 1.0, 'symmetry': 1.0})
    with pytest.raises(ValueError, match='must be one of mpjpe, .* got {}'):
        objective({})
    with pytest.raises(ValueError, match="must be one of mpjpe, .*'bones'"):
        objective({'mpjpe': 1.0, 'bones': 1.0})
    assert objective({'mpjpe': 1.0, 'mse': 1.0}).distance.skeleton is None


def test_the_symmetry_of_a_skeleton_without_sides_is_refused():
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    expected = r"distance 'symmetry' .*'chain' has no left/right pairs.*leave it out"
    with pytest.raises(ValueError, match=expected):
        RegressionObjective({'bone_length': 1.0, 'symmetry': 0.25}, skeleton=chain)
    RegressionObjective('bone_length', skeleton=chain)
