"""What a batch or stream makes of each image's outcome: a result, an error in its place, or its own end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from alphacut_client import _kinds
from alphacut_client._route import Route
from alphacut_core.errors import AlphacutError, InputError
from alphacut_core.options import Options

Raise = Literal["raise"]
Return = Literal["return"]
Wish = tuple[Route, Options]
Progress = Callable[[int], None] | None
"""Called where the batch was, with the number of images finished so far."""


class Outcome(Protocol):
    """What futures of threads and tasks of event loops have in common."""

    def result(self) -> Any:
        """Return what came of it, or raise."""


def answer_or_error(index: int, outcome: Outcome, on_error: Raise | Return) -> Any:
    """Return an image's result, or its error if that is wanted.

    Raises:
        AlphacutError: The error, if it is not; its ``index`` says which image it was.
    """
    try:
        return outcome.result()
    except AlphacutError as error:
        error.index = index
        if on_error == "raise":
            raise
        return error


def check_batch(images: object, on_error: object) -> None:
    """Refuse what cannot be a batch.

    Raises:
        InputError: A single image.
        ValueError: ``on_error`` is neither ``raise`` nor ``return``.
    """
    if on_error not in ("raise", "return"):
        raise ValueError(f"got on_error={on_error!r}; allowed are 'raise' and 'return'")
    if _kinds.is_single(images):
        raise InputError("got a single image; give a list or another iterable of images, or call remove or mask")
