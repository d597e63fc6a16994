import numpy as np
import pytest
import torch

from sealpose.geometry.alignment import align_scale, align_similarity


def poses(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, 3, generator=generator, dtype=torch.float64)


def rotations(count, seed=1):
    q, _ = torch.linalg.qr(poses(count, 3, seed=seed))
    return q * torch.linalg.det(q).sign()[:, None, None]


def move(pose, scale=1.7):
    count = len(pose)
    shift = poses(count, 1, seed=2)
    return scale * pose @ rotations(count) + shift


def horn(pred, target):
    """Horn's quaternion method, one frame, numpy: shares nothing with the code."""
    p, y = pred - pred.mean(0), target - target.mean(0)
    m = p.T @ y
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = m
    n = np.array([
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ])  # fmt: skip
    w, x, y_, z = np.linalg.eigh(n)[1][:, -1]
    rotation = np.array([
        [w*w + x*x - y_*y_ - z*z, 2*(x*y_ - w*z), 2*(x*z + w*y_)],
        [2*(x*y_ + w*z), w*w - x*x + y_*y_ - z*z, 2*(y_*z - w*x)],
        [2*(x*z - w*y_), 2*(y_*z + w*x), w*w - x*x - y_*y_ + z*z],
    ])  # fmt: skip
    turned = p @ rotation.T
    scale = (turned * y).sum() / (p * p).sum()
    return scale * turned + target.mean(0)


@pytest.mark.parametrize('shape', ['random', 'mirrored', 'flat'])
def test_agrees_with_an_independent_method(shape):
    pred, target = poses(50, 17), poses(50, 17, seed=3)
    if shape == 'mirrored':
        target = pred * torch.tensor([-1.0, 1, 1]) + 0.1 * target
    if shape == 'flat':
        pred[..., 2] = 0
        pred = move(pred)
    expected = [horn(p.numpy(), y.numpy()) for p, y in zip(pred, target, strict=True)]
    found = align_similarity(pred, target).numpy()
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-9)


@pytest.mark.parametrize('flatten', [[], [2], [1, 2]], ids=['solid', 'plane', 'line'])
def test_undoes_every_similarity_also_of_flat_poses(flatten):
    target = poses(20, 17)
    target[..., flatten] = 0
    target = move(target, scale=1.0)
    for scale in (0.01, 1.0, 300.0):
        torch.testing.assert_close(
            align_similarity(move(target, scale), target), target, atol=1e-9, rtol=0
        )


def test_the_mirror_image_of_a_pose_stays_wrong():
    target = poses(20, 17)
    mirrored = target * torch.tensor([-1.0, 1, 1])
    error = (align_similarity(mirrored, target) - target).norm(dim=-1).mean(-1)
    assert (error > 0.1).all()
    # A flat pose is its own mirror image, turned about.
    target[..., 2] = 0
    mirrored = target * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(align_similarity(mirrored, target), target)


def test_no_rotation_nearby_fits_better():
    pred, target = poses(1, 17), poses(1, 17, seed=3)
    best = (align_similarity(pred, target) - target).square().sum()
    centred = pred - pred.mean(1, keepdim=True)
    for seed in range(20):
        moved = 0.3 * centred @ rotations(1, seed) + target.mean(1, keepdim=True)
        assert (moved - target).square().sum() > best


def test_a_pose_in_one_point_lands_on_the_centre_of_its_target():
    target = poses(1, 17)
    expected = target.mean(1, keepdim=True).expand(1, 17, 3)
    point = torch.ones(1, 17, 3)
    torch.testing.assert_close(align_similarity(point, target), expected)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_a_pose_that_is_not_finite_spoils_only_itself(bad):
    target = poses(3, 17)
    pred = move(target)
    pred[1, 4, 0] = bad
    aligned = align_similarity(pred, target)
    assert aligned[1].isnan().any()
    torch.testing.assert_close(aligned[[0, 2]], target[[0, 2]])


def procrustes(pred, target):
    """The textbook solution by SVD, one frame, numpy."""
    p, y = pred - pred.mean(0), target - target.mean(0)
    u, singular, vt = np.linalg.svd(p.T @ y)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (singular * sign).sum() / (p * p).sum()
    return scale * p @ (u * sign) @ vt + target.mean(0)


@pytest.mark.parametrize('thickness', [1e-1, 1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize('flat', ['plane', 'line'])
def test_nearly_flat_poses_lose_no_digits(flat, thickness):
    # Both nearly flat: where the two best rotations are hardest to tell apart.
    squeeze = torch.ones(3, dtype=torch.float64)
    squeeze[2 if flat == 'plane' else slice(1, 3)] = thickness
    target = poses(50, 17) * squeeze
    pred = move(target + 0.1 * poses(50, 17, seed=4) * squeeze)
    expected = [
        procrustes(p.numpy(), y.numpy()) for p, y in zip(pred, target, strict=True)
    ]
    found = align_similarity(pred, target)
    np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-7)


@pytest.mark.parametrize('scale', [1e-18, 1e-6, 1e6, 1e18])
def test_size_does_not_matter(scale):
    pred, target = poses(20, 17), poses(20, 17, seed=3)
    expected = align_similarity(pred, target)
    for p, y in ((pred * scale, target), (pred, target * scale)):
        found = align_similarity(p.float(), y.float())
        size = y.float().abs().max() / target.abs().max()
        torch.testing.assert_close(found / size, expected, atol=1e-5, rtol=0)


def test_float32_is_aligned_in_float64():
    pred, target = poses(20, 17).float(), poses(20, 17, seed=3).float()
    found = align_similarity(pred, target)
    assert torch.equal(found, align_similarity(pred.double(), target.double()))


def test_degenerate_poses_spoil_no_others():
    pred, target = poses(6, 17).float(), poses(6, 17, seed=3).float()
    alone = align_similarity(pred[5], target[5])
    pred[0] = 0
    pred[1] = 0.1
    target[2] = -0.3
    pred[3, :, 1:] = 0
    target[4, :, 1:] = 0
    found = align_similarity(pred, target)
    assert found.isfinite().all()
    centre = target.double().mean(1, keepdim=True)
    torch.testing.assert_close(found[:3], centre[:3].expand(3, 17, 3))
    expected = [
        procrustes(p.numpy(), y.numpy())
        for p, y in zip(pred[3:5].double(), target[3:5].double(), strict=True)
    ]
    for ours, theirs, y in zip(found[3:5], expected, target[3:5], strict=True):
        # A line may be turned about itself: what it misses by is the same.
        missed = (ours - y).square().sum().item()
        assert missed == pytest.approx(((theirs - y.numpy()) ** 2).sum(), rel=1e-9)
    torch.testing.assert_close(found[5], alone)


def test_leading_dimensions_are_kept():
    pred, target = poses(2, 5, 17), poses(2, 5, 17, seed=3)
    aligned = align_similarity(pred, target)
    assert torch.equal(aligned[1, 3], align_similarity(pred[1, 3], target[1, 3]))


def test_scale_by_hand():
    target = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0]]])
    pred = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [0, 1, 1]]])
    # s = (1·2 + 2·1) / (2² + 1² + 1²) = 4 / 6
    torch.testing.assert_close(align_scale(pred, target), pred * 2 / 3)
    # The factor is the best one, whatever its sign.
    torch.testing.assert_close(align_scale(-pred, target), pred * 2 / 3)


def test_scale_of_a_pose_at_the_origin_is_finite():
    zero = torch.zeros(1, 17, 3)
    assert torch.equal(align_scale(zero, poses(1, 17).float()), zero)
