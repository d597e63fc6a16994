"""What holds of several networks over a window of joints and frames."""

import torch
from torch import nn


def check_tables(model: nn.Module, frames: int = 9) -> None:
    """Joints and frames differ by their tables of positions alone.

    Args:
        model: With ``temporal_pos_embed`` and ``spatial_pos_embed``, float64, in eval
            mode; the tables are zeroed.
        frames: Of its window.
    """
    x = torch.randn(2, frames, 17, 2).double()
    order, joints = torch.randperm(frames), torch.randperm(17)

    def difference() -> float:
        shuffled = model(x[:, order][:, :, joints])
        return (shuffled - model(x)[:, order][:, :, joints]).abs().max().item()

    assert difference() > 1e-3
    torch.nn.init.zeros_(model.temporal_pos_embed)
    assert difference() > 1e-3
    torch.nn.init.zeros_(model.spatial_pos_embed)
    assert difference() < 1e-12


def check_reach(model: nn.Module, frames: int = 9) -> None:
    """Samples are lifted alone, and each token sees its whole window."""
    x = torch.randn(2, frames, 17, 2).double()
    changed = x.clone()
    changed[1, frames - 1, 16] += 1
    before, after = model(x), model(changed)
    torch.testing.assert_close(before[0], after[0], atol=1e-12, rtol=0)
    assert (before[1] != after[1]).any(dim=-1).all()


def check_confidence(model: nn.Module, frames: int = 9) -> None:
    """Keypoints without confidence count as certain."""
    x = torch.randn(1, frames, 17, 3).double()
    certain = torch.cat([x[..., :2], torch.ones_like(x[..., :1])], -1)
    assert torch.equal(model(x[..., :2]), model(certain))
    assert not torch.allclose(model(x), model(certain))
