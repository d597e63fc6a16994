"""2D keypoints as a detector would report them.

Four faults of real detectors: jitter from frame to frame, an error that lasts (the
detector makes the same mistake in similar images), short bursts of gross error, and
limbs of the wrong side. Extremities are harder than the trunk. The sizes and rates are
chosen, not measured: a median error of 3 pixels, 0.8 % of the keypoints gross errors.
"""

import numpy as np

from sealpose.skeletons import H36M17

# Pixels in an image where a person is some 400 pixels tall.
JITTER = 1.0
LASTING = 2.2
# Relative difficulty, by the last word of a joint's name.
DIFFICULTY = {
    'pelvis': 0.8, 'hip': 1.1, 'knee': 1.0, 'ankle': 1.5, 'spine': 0.8, 'thorax': 0.7,
    'nose': 0.7, 'head': 0.8, 'shoulder': 0.9, 'elbow': 1.2, 'wrist': 1.6,
}  # fmt: skip
MEMORY = 0.9  # correlation of the lasting error between two frames at 50 fps
# Bursts begin per joint and frame; their mean length is in frames.
OUTLIER_RATE, OUTLIER_LENGTH = 0.0016, 4.0
OUTLIER_PIXELS = (20.0, 80.0)
# Swaps begin per limb pair and frame.
SWAP_RATE, SWAP_LENGTH = 0.0008, 5.0
LIMBS = (('elbow', 'wrist'), ('knee', 'ankle'))


def detect(pixels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Disturb true keypoints.

    Args:
        pixels: (T, 17, 2), where the joints are, pixels.
        size: Width and height of the image; no keypoint is reported outside of it.
        rng: Source of the errors.

    Returns:
        (T, 17, 2), pixels.
    """
    found = _swap_limbs(pixels, rng)
    difficulty = np.array([DIFFICULTY[n.split('_')[-1]] for n in H36M17.joint_names])
    error = JITTER * rng.standard_normal(found.shape)
    error += LASTING * _lasting_noise(found.shape, rng)
    found = found + difficulty[:, None] * error + _outliers(found.shape, rng)
    return np.clip(found, 0, size)


def _lasting_noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Unit-variance noise that forgets by ``MEMORY`` each frame (first order)."""
    padding = 64  # the filter is circular: keep the end from meeting the start
    frames = shape[0] + padding
    white = rng.standard_normal((frames, *shape[1:]), dtype=np.float32)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(frames))
    gain = np.sqrt(1 - MEMORY**2) / (1 - MEMORY * turn)
    spectrum = np.fft.rfft(white, axis=0) * gain[:, None, None]
    return np.fft.irfft(spectrum, frames, axis=0)[: shape[0]]


def _outliers(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Errors that jump somewhere else and stay there for a few frames."""
    frames, joints, _ = shape
    error = np.zeros(shape)
    for start, stop in _bursts(rng, OUTLIER_RATE * joints, OUTLIER_LENGTH, frames):
        angle, distance = rng.uniform((0, OUTLIER_PIXELS[0]), (6.28, OUTLIER_PIXELS[1]))
        offset = distance * np.array([np.cos(angle), np.sin(angle)])
        error[start:stop, rng.integers(joints)] = offset
    return error


def _swap_limbs(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    swapped = pixels.copy()
    for limb in LIMBS:
        left = [H36M17.index(f'left_{joint}') for joint in limb]
        right = [H36M17.index(f'right_{joint}') for joint in limb]
        for start, stop in _bursts(rng, SWAP_RATE, SWAP_LENGTH, len(pixels)):
            swapped[start:stop, left + right] = pixels[start:stop, right + left]
    return swapped


def _bursts(
    rng: np.random.Generator, rate: float, length: float, frames: int
) -> list[tuple[int, int]]:
    """Draw (start, stop) of events that begin at ``rate`` per frame."""
    starts = rng.integers(frames, size=rng.poisson(rate * frames))
    stops = starts + rng.geometric(1 / length, len(starts))
    return list(zip(starts.tolist(), stops.tolist(), strict=True))
