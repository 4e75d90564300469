"""What became of a request."""

from __future__ import annotations

from enum import Enum

from alphacut_core.errors import AlphacutError, DeadlineError, InputError, OverloadedError, UnavailableError


class Outcome(Enum):
    """Values are written into records."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    """The server would not take this image, whenever it came."""
    REFUSED = "refused"
    """The server was too busy."""
    LATE = "late"
    """No answer within the deadline."""
    UNAVAILABLE = "unavailable"
    """Nobody answered."""
    FAILED = "failed"
    UNSENT = "unsent"
    """The generator had no room for another request under way."""


OUTCOMES = tuple(Outcome)


def of_error(error: AlphacutError) -> Outcome:
    """Return what an error of the client's stands for."""
    kinds: tuple[tuple[type[AlphacutError], Outcome], ...] = (
        (InputError, Outcome.REJECTED),
        (OverloadedError, Outcome.REFUSED),
        (DeadlineError, Outcome.LATE),
        (UnavailableError, Outcome.UNAVAILABLE),
    )
    return next((outcome for kind, outcome in kinds if isinstance(error, kind)), Outcome.FAILED)


def of_status(status: int) -> Outcome:
    """Return what an HTTP status stands for."""
    known = {200: Outcome.ANSWERED, 429: Outcome.REFUSED, 502: Outcome.UNAVAILABLE, 504: Outcome.LATE}
    known |= {503: Outcome.REFUSED, **dict.fromkeys((400, 413, 415, 422), Outcome.REJECTED)}
    return known.get(status, Outcome.FAILED)
