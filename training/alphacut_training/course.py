"""How a run changes on its way: the learning rate, and the size of the pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from alphacut_core import tiers
from alphacut_training.settings import STRIDE, Settings

_WARM_UP = 0.05
_GROWS_FROM, _GROWN_AT = 0.4, 0.7
"""Until when the first size is kept, and from when the last: small pictures teach what a subject is for a quarter of
the price, large ones where its edges are."""

_SMALLER: tuple[tiers.Mode, ...] = tuple(mode for mode in tiers.MODES if mode != "full")


@dataclass(frozen=True, slots=True)
class Course:
    """What a run does at each share of its way, which its steps or its clock measure."""

    settings: Settings

    def rate(self, progress: float) -> float:
        """Return the learning rate's share of its peak: a warm-up over the first twentieth, then a cosine to 0.

        Args:
            progress: How much of the run is over, 0 to 1.
        """
        if progress < _WARM_UP:
            return progress / _WARM_UP
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - _WARM_UP) / (1 - _WARM_UP))))

    def size(self, progress: float, step: int) -> int:
        """Return the side of the square, in pixels, at which to take a step.

        Args:
            progress: How much of the run is over, 0 to 1.
            step: Its number, from which chance draws: a run that is resumed, and every GPU, draws the same.
        """
        settings = self.settings
        if progress >= _GROWN_AT:
            draw = np.random.default_rng((settings.seed, step))
            if draw.random() >= settings.tiers:
                return settings.size
            return tiers.size_of(_SMALLER[draw.integers(len(_SMALLER))], settings.size)
        grown = max(0.0, progress - _GROWS_FROM) / (_GROWN_AT - _GROWS_FROM)
        return round((settings.first_size + grown * (settings.size - settings.first_size)) / STRIDE) * STRIDE
