import pytest
import torch

from sealpose.geometry.rotation_fit import best_rotation


def rotations(count, seed):
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(
        torch.randn(count, 3, 3, generator=generator, dtype=torch.float64)
    )
    return q * torch.linalg.det(q).sign()[:, None, None]


def covariances(spectrum, count=200):
    """Covariances of known singular values, the last one with the sign: and the best
    rotations, by construction."""
    u, v = rotations(count, 0), rotations(count, 1)
    spectrum = torch.as_tensor(spectrum, dtype=torch.float64)
    return (u * spectrum) @ v.mT, v @ u.mT


def found_for(covariance):
    return best_rotation(covariance.movedim(0, -1)).movedim(-1, 0)


@pytest.mark.parametrize(
    'spectrum',
    [
        (3, 2, 1),
        (3, 2, -1),
        (3, 2, 0),
        (1, 1, 1),
        (1, 1, 0),
        (1, 0.1, -0.09),
        (1, 1e-2, 1e-3),
        (1, 1e-4, -1e-5),
        (1, 1, -0.999),
    ],
)
@pytest.mark.parametrize('scale', [1e-12, 1.0, 1e12])
def test_the_rotation_is_found_whatever_the_spectrum(spectrum, scale):
    covariance, expected = covariances(spectrum)
    found = found_for(covariance * scale)
    # The closer the last two singular values are, the fewer digits any method has.
    gap = (spectrum[1] + spectrum[2]) / spectrum[0]
    torch.testing.assert_close(found, expected, atol=1e-13 / gap, rtol=0)


@pytest.mark.parametrize(
    'spectrum', [(1, 0, 0), (1, 0.5, -0.5), (1, 1, -1), (1, 0.5, -0.5 + 1e-12)]
)
def test_of_several_best_rotations_it_takes_one(spectrum):
    covariance, _ = covariances(spectrum)
    found = found_for(covariance)
    torch.testing.assert_close(
        found @ found.mT, torch.eye(3, dtype=torch.float64).expand(200, 3, 3)
    )
    assert (torch.linalg.det(found) > 0).all()
    overlap = (found * covariance.mT).sum((1, 2))
    torch.testing.assert_close(overlap, torch.full_like(overlap, sum(spectrum)))


def test_nothing_to_fit_gives_a_rotation():
    found = best_rotation(torch.zeros(3, 3, 1, dtype=torch.float64))[..., 0]
    torch.testing.assert_close(found @ found.T, torch.eye(3, dtype=torch.float64))


def test_what_is_not_finite_stays_alone():
    covariance, expected = covariances((3, 2, -1), count=3)
    covariance[1, 0, 2] = torch.nan
    found = found_for(covariance)
    assert found[1].isnan().all()
    torch.testing.assert_close(found[[0, 2]], expected[[0, 2]])
