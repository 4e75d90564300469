"""The bounds of a call's deadline, whoever sends it."""

from __future__ import annotations

from alphacut_core import checks

MIN_TIMEOUT_S = 0.05
"""Shortest deadline: Triton before 25.06 can be crashed by calls whose deadline passes within milliseconds."""

MAX_TIMEOUT_S = 86_400.0
"""Longest deadline, a day: gRPC and Triton count in integers, which have an end."""


def check_timeout(timeout_s: object) -> float:
    """Return a deadline; refuse one out of bounds with an InvalidOptionError."""
    return checks.number("timeout_s", timeout_s, MIN_TIMEOUT_S, MAX_TIMEOUT_S)
