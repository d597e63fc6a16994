"""What a transform of 2D keypoints is."""

from abc import ABC, abstractmethod

from torch import Generator, Tensor

# Where a joint that is not seen goes: the centre of the screen.
MASKED = 0.0


class KeypointTransform(ABC):
    """Disturbs 2D keypoints; the 3D truth stays.

    In training it runs on batches of windows, at test time once on each whole sequence.
    It must not change its input, and must draw every random number from the generator,
    on the generator's device, so that a seed fixes the result.
    """

    @abstractmethod
    def __call__(self, keypoints_2d: Tensor, generator: Generator) -> Tensor:
        """Return disturbed keypoints of the same shape.

        Args:
            keypoints_2d: (B, T, J, C), screen-normalised; a third channel is the
                confidence.
            generator: Source of the random numbers.

        Returns:
            (B, T, J, C).
        """
