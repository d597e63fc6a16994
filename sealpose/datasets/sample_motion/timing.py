"""Smooth functions of time that motions are written with."""

import numpy as np

FPS = 50


def seconds(frames: int) -> np.ndarray:
    """Times of the frames of a clip, (T,) seconds."""
    return np.arange(frames) / FPS


def minimum_jerk(progress: np.ndarray) -> np.ndarray:
    """Ease from 0 to 1 as a hand does (Flash and Hogan, 1985); flat outside [0, 1]."""
    s = np.clip(progress, 0, 1)
    return s**3 * (10 - 15 * s + 6 * s**2)


def bump(progress: np.ndarray) -> np.ndarray:
    """Rise from 0 to 1 and fall back to 0 within [0, 1]; zero outside."""
    return np.sin(np.pi * np.clip(progress, 0, 1)) ** 2


def through(knots: np.ndarray, levels: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Move from level to level, resting for an instant at each knot.

    Args:
        knots: (K,) seconds, increasing.
        levels: (K,) value at each knot.
        times: (T,) seconds.

    Returns:
        (T,) values.
    """
    i = np.clip(np.searchsorted(knots, times, side='right') - 1, 0, len(knots) - 2)
    progress = (times - knots[i]) / (knots[i + 1] - knots[i])
    return levels[i] + (levels[i + 1] - levels[i]) * minimum_jerk(progress)


def episodes(
    rng: np.random.Generator,
    frames: int,
    rest: tuple[float, float] = (0.2, 0.9),
    move: tuple[float, float] = (0.8, 1.5),
    hold: tuple[float, float] = (0.2, 0.8),
) -> tuple[np.ndarray, np.ndarray]:
    """Do something again and again: rest, move there, hold, move back.

    Args:
        rng: Source of the durations.
        frames: Length of the clip T.
        rest: Shortest and longest rest, seconds.
        move: Shortest and longest way there or back, seconds.
        hold: Shortest and longest stay, seconds.

    Returns:
        How far it is done, (T,) in 0 to 1, and the number of the episode, (T,) int.
    """
    spans = np.array([rest, move, hold, move])
    count = int(np.ceil(frames / FPS / spans[:, 0].sum())) + 2
    durations = rng.uniform(spans[:, 0], spans[:, 1], (count, 4)).ravel()
    knots = np.concatenate([[0.0], np.cumsum(durations)])
    # A clip may begin anywhere in the first episode.
    times = seconds(frames) + rng.uniform(0, knots[4])
    levels = np.append(np.tile([0.0, 0.0, 1.0, 1.0], count), 0.0)
    episode = (np.searchsorted(knots, times, side='right') - 1) // 4
    return through(knots, levels, times), episode


def drift(
    rng: np.random.Generator,
    frames: int,
    shape: tuple[int, ...] = (),
    hertz: tuple[float, float] = (0.1, 0.6),
) -> np.ndarray:
    """Wander smoothly about zero with unit variance, bounded by about 2.8.

    Args:
        rng: Source of frequencies and phases.
        frames: Length of the clip T.
        shape: Shape of the independent values of a frame.
        hertz: Slowest and fastest component.

    Returns:
        (T, *shape).
    """
    waves = 4
    speed = 2 * np.pi * rng.uniform(*hertz, (*shape, waves))
    phase = rng.uniform(0, 2 * np.pi, (*shape, waves))
    times = seconds(frames).reshape(-1, *[1] * (len(shape) + 1))
    return np.sin(speed * times + phase).sum(-1) * np.sqrt(2 / waves)


def wander(
    rng: np.random.Generator,
    frames: int,
    low: np.ndarray,
    high: np.ndarray,
    hertz: tuple[float, float] = (0.1, 0.5),
) -> np.ndarray:
    """Wander smoothly between limits that are never passed, (T, *low.shape)."""
    low, high = np.asarray(low), np.asarray(high)
    swing = np.tanh(drift(rng, frames, low.shape, hertz))
    return (low + high) / 2 + (high - low) / 2 * swing
