"""Random orders of any size that take no memory."""

import numpy as np

ROUNDS = 6


class Permutation:
    """A random bijection of ``range(size)``, computed value by value.

    A Feistel network over the next power of two; values that fall outside are sent
    through it again. Not for cryptography.

    Source: M. Luby, C. Rackoff, How to construct pseudorandom permutations from
    pseudorandom functions, 1988; J. Black, P. Rogaway, Ciphers with arbitrary finite
    domains, 2002. Round function: the finaliser of SplitMix64 (G. Steele et al., 2014).

    Args:
        size: Number of values, at least 1.
        *key: Numbers that choose the permutation, each at least 0.
    """

    def __init__(self, size: int, *key: int) -> None:
        self.size = size
        bits = max(2, (size - 1).bit_length())
        self._bits = (bits // 2, bits - bits // 2)
        self._keys = np.random.SeedSequence(key).generate_state(ROUNDS, np.uint64)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Map values.

        Args:
            values: (N,) integers from 0 to ``size - 1``.

        Returns:
            (N,) int64.
        """
        mapped = self._network(values.astype(np.uint64))
        outside = np.flatnonzero(mapped >= self.size)
        while len(outside):
            mapped[outside] = self._network(mapped[outside])
            outside = outside[mapped[outside] >= self.size]
        return mapped.astype(np.int64)

    def _network(self, values: np.ndarray) -> np.ndarray:
        high, low = self._bits
        left, right = values >> np.uint64(low), values & _mask(low)
        for key in self._keys:
            # The halves change places, and with them their sizes.
            left, right = right, left ^ (_mix(right ^ key) & _mask(high))
            high, low = low, high
        return left << np.uint64(low) | right


def _mask(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _mix(values: np.ndarray) -> np.ndarray:
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)
