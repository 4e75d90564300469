"""Checks of single values that callers hand over; what fails is named with what is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from reprlib import repr as brief  # a gRPC status has room for a few kilobytes

from alphacut_core.errors import InvalidOptionError


def integer(name: str, got: object, low: int, high: int) -> None:
    """Refuse what is not a whole number from ``low`` to ``high``, with an InvalidOptionError."""
    if isinstance(got, bool) or not isinstance(got, int) or not low <= got <= high:
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are whole numbers from {low} to {high}")


def number(name: str, got: object, low: float, high: float) -> None:
    """Refuse what is not a finite number from ``low`` to ``high``, with an InvalidOptionError."""
    fits = isinstance(got, (int, float)) and not isinstance(got, bool) and low <= got <= high and math.isfinite(got)
    if not fits:
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are numbers from {low:g} to {high:g}")


def boolean(name: str, got: object) -> None:
    """Refuse what is neither True nor False, with an InvalidOptionError."""
    if not isinstance(got, bool):
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are True and False")


def choice(name: str, got: object, allowed: Sequence[str]) -> None:
    """Refuse what is not one of the words allowed, with an InvalidOptionError."""
    if got not in allowed:
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are {', '.join(map(repr, allowed))}")


def rgba(name: str, got: object) -> None:
    """Refuse what is not (red, green, blue, alpha), each a whole number from 0 to 255, with an InvalidOptionError."""
    if not isinstance(got, tuple) or len(got) != 4:
        raise InvalidOptionError(f"got {name}={brief(got)}; give (red, green, blue, alpha), each 0 to 255")
    for channel in got:
        integer(name, channel, 0, 255)
