import pytest
import torch

from sealpose.datasets.transforms.incomplete_keypoints import IncompleteKeypoints
from sealpose.registry import TRANSFORMS

FACE, LEFT, RIGHT = slice(23, 91), slice(91, 112), slice(112, 133)


def masked(seed=0, frames=4000):
    x = torch.rand(2, frames // 2, 133, 2) + 1
    before = x.clone()
    transform = TRANSFORMS.build(dict(type='sealpose.IncompleteKeypoints'))
    y = transform(x, torch.Generator().manual_seed(seed))
    assert torch.equal(x, before)
    assert y.shape == x.shape
    lost = (y == 0).all(-1)
    assert torch.equal(y[~lost], x[~lost])
    return lost.flatten(0, 1)


def test_shares_are_the_official_ones():
    lost = masked()
    whole = {
        name: lost[:, part].all(1) & (lost.sum(1) == lost[:, part].sum(1))
        for name, part in (('face', FACE), ('left', LEFT), ('right', RIGHT))
    }
    for frames in whole.values():
        assert frames.float().mean().item() == pytest.approx(0.2, abs=0.03)
    scattered = ~torch.stack(list(whole.values())).any(0)
    assert scattered.float().mean().item() == pytest.approx(0.4, abs=0.03)
    assert lost[scattered].float().mean().item() == pytest.approx(0.25, abs=0.01)
    # Scattered joints are lost all over the body, one by one.
    assert lost[scattered].float().mean(0).min() > 0.15


def test_a_seed_fixes_the_masks():
    assert torch.equal(masked(3, 40), masked(3, 40))
    assert not torch.equal(masked(3, 40), masked(4, 40))


def test_other_skeletons_are_refused():
    with pytest.raises(ValueError, match="'h36m17' has no joint set 'face'"):
        IncompleteKeypoints('h36m17')
