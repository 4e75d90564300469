"""Cutting a result down to its subject."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from alphacut_core import checks
from alphacut_core.errors import NoSubjectError
from alphacut_core.geometry import Box

VISIBLE_FROM = 13
"""Alpha of 255 that counts as subject: 5 %, below which nobody sees it."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Cut the result down to its subject.

    Attributes:
        margin_px: Room on each side, in pixels, 0 to 65,535.
        margin_percent: Room in addition, in per cent of the subject's width (left, right) or height (top,
            bottom), 0 to 1,000.
        alpha_from: Least alpha that counts as subject, 1 to 255.
    """

    margin_px: int = 0
    margin_percent: float = 0.0
    alpha_from: int = VISIBLE_FROM

    def __post_init__(self) -> None:
        checks.keep(
            self,
            margin_px=checks.integer("crop.margin_px", self.margin_px, 0, 65_535),
            margin_percent=checks.number("crop.margin_percent", self.margin_percent, 0, 1_000),
            alpha_from=checks.integer("crop.alpha_from", self.alpha_from, 1, 255),
        )

    def box(self, alpha: Image.Image) -> Box:
        """Return what to keep: the subject and its margin, as far as the picture reaches.

        Args:
            alpha: Mode L.

        Raises:
            NoSubjectError: No pixel counts as subject.
        """
        subject = subject_box(alpha, self.alpha_from)
        if subject is None:
            raise NoSubjectError(
                f"got a picture without a subject to crop to: no alpha reaches {self.alpha_from} of 255; leave crop "
                "out, or lower alpha_from"
            )
        across = self.margin_px + round((subject[2] - subject[0]) * self.margin_percent / 100)
        down = self.margin_px + round((subject[3] - subject[1]) * self.margin_percent / 100)
        left, top, right, bottom = around(subject, (down, across, down, across))
        return max(left, 0), max(top, 0), min(right, alpha.width), min(bottom, alpha.height)


def subject_box(alpha: Image.Image, alpha_from: int = VISIBLE_FROM) -> Box | None:
    """Return the smallest box around every pixel of at least ``alpha_from``; None if there is none.

    Args:
        alpha: Mode L.
        alpha_from: 1 to 255.
    """
    return alpha.point([0] * alpha_from + [255] * (256 - alpha_from)).getbbox()


def around(box: Box, margins: tuple[int, int, int, int]) -> Box:
    """Return ``box`` with room at its top, right, bottom and left, in pixels; it may reach beyond the picture."""
    top, right, bottom, left = margins
    return box[0] - left, box[1] - top, box[2] + right, box[3] + bottom
