import pytest
import torch

from sealpose.geometry.bones import segment_lengths
from sealpose.geometry.kinematics import bone_vectors
from sealpose.registry import CORRECTIONS
from sealpose.seal import Symmetrised, TrueBoneLengths
from sealpose.skeletons import Skeleton, get_skeleton

from .bodies import BODY, SKELETONS, body, random_poses


def correct(make, pred, true, skeleton=BODY):
    return make(pred[..., :2], pred, true, get_skeleton(skeleton))


def test_true_lengths_by_hand():
    # The arms of the prediction point up where those of the truth go sideways.
    pred = body(neck=0.5)
    pred[2:4] = torch.tensor([[0, -0.4, 0], [0, -0.2, 0]])
    pred[4:6] = torch.tensor([[0, -0.4, 0.1], [-0.1, -0.2, 0]])
    pred = pred + torch.tensor([1.0, 2.0, 3.0])
    expected = torch.tensor([
        [0, 0, 0], [0, -0.6, 0],
        [0, -0.3, 0], [0, -0.3, 0], [0, -0.3, 0.2], [-0.2, -0.3, 0],
    ])  # fmt: skip
    expected = expected + torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(correct(TrueBoneLengths(), pred, body()), expected)


def test_symmetrised_by_hand():
    pred = body(neck=0.5, left=0.5, right=0.3, left_hand=0.2, right_hand=0.3)
    corrected = correct(Symmetrised(), pred, pred * torch.nan)
    torch.testing.assert_close(corrected, body(0.5, 0.4, 0.4, 0.25, 0.25))


@pytest.mark.parametrize('skeleton', SKELETONS)
@pytest.mark.parametrize('kind', ['TrueBoneLengths', 'Symmetrised'])
def test_lengths_change_and_directions_stay(kind, skeleton):
    _, pred, true = random_poses(skeleton)
    whole, kept = get_skeleton(skeleton), pred.clone()
    corrected = correct(CORRECTIONS.build({'type': kind}), pred, true, skeleton)
    assert torch.equal(pred, kept)
    origin = list(whole.origin_joints)
    centre, kept_centre = (p[..., origin, :].mean(-2) for p in (corrected, pred))
    torch.testing.assert_close(centre, kept_centre)
    before, after = (bone_vectors(pose, whole) for pose in (pred, corrected))
    cosine = torch.cosine_similarity(before, after, dim=-1)
    torch.testing.assert_close(cosine, torch.ones_like(cosine))
    lengths = segment_lengths(corrected, whole)
    if kind == 'TrueBoneLengths':
        torch.testing.assert_close(lengths, segment_lengths(true, whole))
        return
    old = segment_lengths(pred, whole)
    left, right = zip(*whole.symmetric_segments, strict=True)
    left, right = list(left), list(right)
    torch.testing.assert_close(lengths[..., left], lengths[..., right])
    torch.testing.assert_close(
        lengths[..., left] + lengths[..., right], old[..., left] + old[..., right]
    )
    middle = sorted(set(range(len(whole.segments))) - {*left, *right})
    torch.testing.assert_close(lengths[..., middle], old[..., middle])


def test_a_right_structure_stays_as_it_is():
    for make in (TrueBoneLengths(), Symmetrised()):
        torch.testing.assert_close(correct(make, body(), body()), body())


def test_a_skeleton_without_sides_cannot_be_symmetrised():
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    pose = torch.zeros(1, 1, 2, 3)
    expected = r"Symmetrised .*'chain' has no left/right pairs.*leave it out"
    with pytest.raises(ValueError, match=expected):
        correct(Symmetrised(), pose, pose, chain)
