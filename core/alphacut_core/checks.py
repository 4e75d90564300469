"""Checks of single values that callers hand over; what fails is named with what is allowed.

What passes is returned as Python's own: NumPy's numbers overflow where these do not, and JSON does not know them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from reprlib import repr as brief  # a gRPC status has room for a few kilobytes

import numpy as np

from alphacut_core.colors import Rgba
from alphacut_core.errors import InvalidOptionError


def integer(name: str, got: object, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``; refuse all else with an InvalidOptionError."""
    value = as_integer(got)
    if value is None or not low <= value <= high:
        raise InvalidOptionError(f"got {name}={brief(_plain(got))}; allowed are whole numbers from {low} to {high}")
    return value


def number(name: str, got: object, low: float, high: float) -> float:
    """Return a finite number from ``low`` to ``high``; refuse all else with an InvalidOptionError."""
    value = as_number(got)
    if value is None or not (low <= value <= high and math.isfinite(value)):
        raise InvalidOptionError(f"got {name}={brief(_plain(got))}; allowed are numbers from {low:g} to {high:g}")
    return value


def boolean(name: str, got: object) -> bool:
    """Return True or False; refuse all else with an InvalidOptionError."""
    value = _plain(got)
    if not isinstance(value, bool):
        raise InvalidOptionError(f"got {name}={brief(value)}; allowed are True and False")
    return value


def choice(name: str, got: object, allowed: Sequence[str]) -> None:
    """Refuse what is not one of the words allowed, with an InvalidOptionError."""
    if not isinstance(got, str) or got not in allowed:  # an array compared with a word is an array
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are {', '.join(map(repr, allowed))}")


def rgba(name: str, got: object) -> Rgba:
    """Return (red, green, blue, alpha), each from 0 to 255; refuse all else with an InvalidOptionError."""
    if not isinstance(got, tuple) or len(got) != 4:
        raise InvalidOptionError(f"got {name}={brief(got)}; give (red, green, blue, alpha), each 0 to 255")
    red, green, blue, alpha = (integer(name, channel, 0, 255) for channel in got)
    return red, green, blue, alpha


def keep(part: object, **checked: object) -> None:
    """Put what was checked into a frozen dataclass, in its ``__post_init__``."""
    for name, value in checked.items():
        object.__setattr__(part, name, value)


def as_integer(got: object) -> int | None:
    """Return a whole number, Python's or NumPy's, as Python's; None for all else, truth values too."""
    value = _plain(got)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_number(got: object) -> float | None:
    """Return a number, Python's or NumPy's, as Python's; None for all else, truth values too."""
    value = _plain(got)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _plain(got: object) -> object:
    if isinstance(got, np.bool_):
        return bool(got)
    if isinstance(got, np.integer):
        return int(got)
    return float(got) if isinstance(got, np.floating) else got
