"""How a mask's edge can be refined: the parameters, without the work."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

from alphacut_core import checks

OverBudget = Literal["raise", "mask"]
_MAX_UNKNOWN_PX = 1_000_000


@dataclass(frozen=True, slots=True)
class Matting:
    """Closed-form alpha matting around the mask's edge, with rembg's parameters.

    Attributes:
        foreground_threshold: Mask values above it are certainly subject (0..255).
        background_threshold: Mask values below it are certainly background (0..255).
        erode_size: Side of the square, in pixels, by which both certain areas shrink.
    """

    foreground_threshold: int = 240
    background_threshold: int = 10
    erode_size: int = 10

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = checks.integer(f"matting.{field.name}", getattr(self, field.name), 0, 255)
            checks.keep(self, **{field.name: value})


@dataclass(frozen=True, slots=True)
class Refine:
    """Closed-form alpha matting of the unknown band alone, within a budget.

    Attributes:
        band_px: How far the band reaches to either side of the mask's edge (where it passes 128), in pixels,
            1 to 255.
        max_unknown_px: Most pixels that are solved for, 1 to 1,000,000.
        max_seconds: Longest time that the equations may take, 0.01 to 600. One step of setting them up is not
            interrupted.
        over_budget: ``raise`` is a RefinementError where the budget does not suffice, ``mask`` keeps the mask's
            own edge there.
    """

    band_px: int = 10
    max_unknown_px: int = 300_000
    max_seconds: float = 30.0
    over_budget: OverBudget = "raise"

    def __post_init__(self) -> None:
        checks.keep(
            self,
            band_px=checks.integer("refine.band_px", self.band_px, 1, 255),
            max_unknown_px=checks.integer("refine.max_unknown_px", self.max_unknown_px, 1, _MAX_UNKNOWN_PX),
            max_seconds=checks.number("refine.max_seconds", self.max_seconds, 0.01, 600),
        )
        checks.choice("refine.over_budget", self.over_budget, get_args(OverBudget))
