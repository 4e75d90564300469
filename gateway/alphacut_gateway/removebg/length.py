"""Lengths as remove.bg's parameters give them: pixels, or a share of something."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LENGTH = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(px|%)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Length:
    """``value`` pixels of the original image, or per cent of a whole."""

    value: float
    percent: bool

    def pixels(self, whole: float, zoom: float = 1.0) -> float:
        """Return the length in pixels.

        Args:
            whole: What 100 % is, in pixels.
            zoom: Pixels that one pixel of the original has become.
        """
        return whole * self.value / 100 if self.percent else self.value * zoom


def parse(text: str) -> Length | None:
    """Read ``30px``, ``12.5%`` or ``0``; None if it is none of them."""
    found = _LENGTH.fullmatch(text)
    if found is None or (found[2] is None and float(found[1]) != 0):
        return None
    return Length(float(found[1]), found[2] == "%")


def parse_all(text: str) -> list[Length] | None:
    """Read lengths with blanks between them; None if any of them is none."""
    lengths = [parse(word) for word in text.split()]
    known = [length for length in lengths if length is not None]
    return known if len(known) == len(lengths) else None
