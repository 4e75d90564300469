"""Whether memory grows with every image: a line through samples, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SURE = 2.0  # standard errors on either side: about 95 %


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes that an image leaves behind, by least squares.

    Attributes:
        bytes_per_image: Slope of the line.
        error_bytes_per_image: Its standard error. Neighbouring samples resemble each other, so it is larger than
            that of independent ones, by their correlation.
    """

    bytes_per_image: float
    error_bytes_per_image: float

    @property
    def is_certain(self) -> bool:
        """Whether the slope lies above zero by more than two standard errors."""
        return self.bytes_per_image > _SURE * self.error_bytes_per_image

    def over(self, images: int) -> str:
        """Return the growth over so many images, in megabytes, give or take two standard errors."""
        growth, error = self.bytes_per_image * images / 1e6, _SURE * self.error_bytes_per_image * images / 1e6
        return f"{growth:+.2f} ± {error:.2f} MB"


def line(images: Sequence[int], sizes_bytes: Sequence[int]) -> Growth:
    """Fit a line.

    Args:
        images: How many had been answered at each sample, at least three different numbers.
        sizes_bytes: Memory at each.
    """
    x = np.asarray(images, np.float64)
    y = np.asarray(sizes_bytes, np.float64)
    deviation = x - x.mean()
    slope = float(deviation @ y / (deviation @ deviation))
    rest = y - y.mean() - slope * deviation
    spread = float(rest @ rest)
    variance = spread / (len(x) - 2) / float(deviation @ deviation)
    resemblance = float(rest[1:] @ rest[:-1]) / spread if spread else 0.0
    resemblance = min(max(resemblance, 0.0), 0.99)
    return Growth(slope, float(np.sqrt(variance * (1 + resemblance) / (1 - resemblance))))
