import numpy as np
import pytest
import torch

from sealpose.registry import FRAME_METRICS
from sealpose.skeletons import get_skeleton

SKELETON = get_skeleton('coco_wholebody133')
BODY, FACE = range(23), range(23, 91)
LEFT, RIGHT = range(91, 112), range(112, 133)


def metric(name, pred, gt):
    return FRAME_METRICS.get(name)(pred, gt, SKELETON)


def random_poses():
    torch.manual_seed(0)
    gt = torch.randn(3, 133, 3).double()
    return gt + 0.05 * torch.randn(3, 133, 3).double(), gt


def slow(pred, gt, joints, anchors):
    """The official computation, joint by joint."""
    values = []
    for p, y in zip(pred.numpy(), gt.numpy(), strict=True):
        shift = sum(p[a] - y[a] for a in anchors) / len(anchors)
        errors = [np.sqrt(((p[j] - y[j] - shift) ** 2).sum()) for j in joints]
        values.append(1000 * sum(errors) / len(errors))
    return torch.tensor(values)


@pytest.mark.parametrize(
    ('name', 'joints', 'anchors'),
    [
        ('H3WB-whole', range(133), (11, 12)),
        ('H3WB-body', BODY, (11, 12)),
        ('H3WB-face', FACE, (11, 12)),
        ('H3WB-face-nose', FACE, (0,)),
        ('H3WB-hands', (*LEFT, *RIGHT), (11, 12)),
    ],
)
def test_against_a_slow_implementation(name, joints, anchors):
    pred, gt = random_poses()
    torch.testing.assert_close(
        metric(name, pred, gt), slow(pred, gt, joints, anchors).double()
    )


def test_hands_are_aligned_each_at_its_wrist():
    pred, gt = random_poses()
    expected = (slow(pred, gt, LEFT, (91,)) + slow(pred, gt, RIGHT, (112,))) / 2
    torch.testing.assert_close(metric('H3WB-hands-wrist', pred, gt), expected.double())


def test_alignment_by_hand():
    gt = torch.zeros(1, 133, 3)
    pred = gt.clone()
    pred[:, :, 0] = 0.3
    # Everything is off alike: nothing is wrong once the hips coincide.
    assert metric('H3WB-whole', pred, gt).item() == pytest.approx(0, abs=1e-4)
    # One hip a centimetre further moves all other joints by half of that.
    pred[:, 11, 0] += 0.01
    assert metric('H3WB-face', pred, gt).item() == pytest.approx(5, rel=1e-4)
    assert metric('H3WB-face-nose', pred, gt).item() == pytest.approx(0, abs=1e-4)


def test_structure_of_a_part_sees_that_part_alone():
    pred, gt = random_poses()
    changed = pred.clone()
    changed[:, 92:96] += 0.1 * torch.randn(3, 4, 3)
    for kind in ('LSE', 'BSLE'):
        for part in ('body', 'face'):
            name = f'{kind}-{part}'
            assert torch.equal(metric(name, pred, gt), metric(name, changed, gt))
        assert not torch.equal(
            metric(f'{kind}-hands', pred, gt), metric(f'{kind}-hands', changed, gt)
        )


def test_structure_by_hand():
    gt = torch.randn(1, 133, 3).double()
    mirror = torch.tensor([-1.0, 1, 1])
    gt[:, 112:] = gt[:, 91:112] * mirror
    gt[:, 10] = gt[:, 9] * mirror
    pred = gt.clone()
    assert metric('LSE-hands', pred, gt).item() == pytest.approx(0, abs=1e-9)
    # The last segment of the left thumb three times as long: |3 - 1| / (3 + 1) of one
    # of 21 pairs, and an error of twice its length in one of 42 segments.
    pred[:, 95] = gt[:, 94] + 3 * (gt[:, 95] - gt[:, 94])
    assert metric('LSE-hands', pred, gt).item() == pytest.approx(100 * 0.5 / 21)
    assert metric('BSLE-hands', pred, gt).item() == pytest.approx(100 * 2 / 42)
