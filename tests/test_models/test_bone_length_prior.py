import pytest
import torch

from sealpose.geometry.bones import segment_lengths
from sealpose.models.bone_length_prior import BoneLengthPrior
from sealpose.models.pose_lifter import PoseLifter
from sealpose.skeletons import H36M17


def people(*sizes):
    """One window of one frame per person, all bones of one length in metres."""
    step = torch.tensor([0.6, 0.0, 0.8])
    pose = torch.zeros(17, 3)
    for parent, child in H36M17.segments:
        pose[child] = pose[parent] + step
    return torch.stack([size * pose for size in sizes])[:, None]


def lifter(share, **kwargs):
    return PoseLifter(
        backbone=dict(type='SimpleBaseline', channels=16, dropout=0.0),
        skeleton='h36m17',
        losses=dict(pose=dict(type='MPJPELoss')),
        bone_prior=dict(share=share),
        **kwargs,
    )


def test_lengths_move_a_share_of_the_way_and_directions_stay():
    prior = BoneLengthPrior(H36M17, share=0.25)
    prior.observe(people(0.2, 0.4))
    prior.observe(people(0.6, 0.6))
    # Mean of the two batches: 0.45. From 0.85, a quarter of the way is 0.75.
    moved = prior(people(0.85))
    torch.testing.assert_close(moved, people(0.75))


@pytest.mark.parametrize(('share', 'expected'), [(0.0, 0.3), (1.0, 0.5)])
def test_the_ends_of_the_way(share, expected):
    prior = BoneLengthPrior(H36M17, share)
    prior.observe(people(0.5))
    torch.testing.assert_close(prior(people(0.3)), people(expected))


def test_only_the_test_time_is_corrected():
    x, y = torch.randn(8, 1, 17, 2), people(*[0.5] * 8)
    torch.manual_seed(0)
    plain = lifter(0.0)
    corrected = lifter(1.0)
    corrected.load_state_dict(plain.state_dict())
    losses = [model(x, y, mode='loss')['loss_pose'] for model in (plain, corrected)]
    assert torch.equal(*losses)
    for model in (plain, corrected):
        model.eval()
    lengths = segment_lengths(corrected.lift(x), H36M17)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 0.5))
    assert torch.equal(plain.lift(x), plain(x))
    (found,) = corrected(x, mode='predict')
    assert torch.equal(found['keypoints_3d_pred'], corrected.lift(x))


def test_only_labelled_windows_are_known():
    model = lifter(1.0)
    labelled = torch.tensor([True, True, False, False])
    model(
        torch.randn(4, 1, 17, 2),
        people(0.4, 0.6, 9.0, 9.0),
        mode='loss',
        labelled=labelled,
    )
    lengths = segment_lengths(model.eval().lift(torch.randn(2, 1, 17, 2)), H36M17)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 0.5))


@pytest.mark.parametrize('bad', [torch.nan, torch.inf])
def test_a_batch_that_is_not_finite_is_left_out(bad):
    prior = BoneLengthPrior(H36M17, share=1.0)
    for sizes in ((bad, 0.3), (0.4,), (0.2, bad), (0.6,)):
        prior.observe(people(*sizes))
    torch.testing.assert_close(prior(people(0.9)), people(0.5))
    assert prior.batches == 2


def test_lengths_are_part_of_the_checkpoint():
    trained, fresh = lifter(0.5), lifter(0.5)
    trained(torch.randn(4, 1, 17, 2), people(0.3, 0.4, 0.5, 0.6), mode='loss')
    fresh.load_state_dict(trained.state_dict())
    x = torch.randn(2, 1, 17, 2)
    assert torch.equal(fresh.eval().lift(x), trained.eval().lift(x))


def test_without_training_nothing_is_known():
    with pytest.raises(
        RuntimeError, match=r'no bone lengths are known.*dict\(share=0\)'
    ):
        lifter(0.5).eval().lift(torch.randn(2, 1, 17, 2))
    lifter(0.0).eval().lift(torch.randn(2, 1, 17, 2))


@pytest.mark.parametrize('share', [-0.1, 1.1])
def test_a_share_is_a_share(share):
    with pytest.raises(ValueError, match=f'from 0 to 1, but got {share}'):
        lifter(share)
