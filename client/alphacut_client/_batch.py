"""Many images at once: N in, N out, in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import closing
from typing import Any, Literal

from alphacut_client._calls import Calls
from alphacut_client._connection import Connection
from alphacut_client._limiter import Limiter
from alphacut_client._route import Route
from alphacut_client._steps import walk
from alphacut_client._window import map_in_order, map_window
from alphacut_client._work import Work
from alphacut_client.timings import Observer
from alphacut_core.errors import AlphacutError, InputError
from alphacut_core.options import Options

Raise = Literal["raise"]
Return = Literal["return"]
Wish = tuple[Route, Options]
Progress = Callable[[int], None] | None
"""Called in the caller's thread with the number of images finished so far."""


class Batch:
    """A client's way of working on batches, for any number of threads."""

    def __init__(self, work: Work, connection: Connection, limiter: Limiter, observer: Observer | None) -> None:
        self._work = work
        self._connection = connection
        self._limiter = limiter
        self._observer = observer

    def answers(self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, progress: Progress) -> list[Any]:
        """Return one answer, or with ``on_error="return"`` one error, for each image."""
        check_batch(images, on_error)
        calls = Calls(self._connection, self._limiter.overloaded)
        answers: dict[int, Any] = {}
        with closing(map_window(self._one(wish, calls), images, self._limiter, calls.give_up)) as outcomes:
            for index, outcome in outcomes:
                answers[index] = _answer_or_error(index, outcome, on_error)
                if progress is not None:
                    progress(len(answers))
        return [answers[index] for index in range(len(answers))]

    def stream(self, images: Iterable[Any], wish: Wish, on_error: Raise | Return) -> Generator[Any, None, None]:
        """Yield an answer, or with ``on_error="return"`` an error, for each image in order."""
        check_batch(images, on_error)
        calls = Calls(self._connection, self._limiter.overloaded)
        with closing(map_in_order(self._one(wish, calls), images, self._limiter, calls.give_up)) as outcomes:
            for index, outcome in enumerate(outcomes):
                yield _answer_or_error(index, outcome, on_error)

    def stream_as_completed(
        self, images: Iterable[Any], wish: Wish, on_error: Raise | Return
    ) -> Generator[tuple[int, Any], None, None]:
        """Yield index and answer, or error, of each image as soon as it is there."""
        check_batch(images, on_error)
        calls = Calls(self._connection, self._limiter.overloaded)
        with closing(map_window(self._one(wish, calls), images, self._limiter, calls.give_up)) as outcomes:
            for index, outcome in outcomes:
                yield index, _answer_or_error(index, outcome, on_error)

    def _one(self, wish: Wish, calls: Calls) -> Callable[[Any], Any]:
        return lambda image: walk(self._work.answer(image, *wish), calls, self._observer)


def check_batch(images: object, on_error: object) -> None:
    """Refuse what cannot be a batch.

    Raises:
        InputError: A single image.
        ValueError: ``on_error`` is neither ``raise`` nor ``return``.
    """
    if on_error not in ("raise", "return"):
        raise ValueError(f"got on_error={on_error!r}; allowed are 'raise' and 'return'")
    if isinstance(images, (str, bytes)):
        raise InputError("got a single image; give a list or another iterable of images, or call remove or mask")


def _answer_or_error(index: int, outcome: Future[Any], on_error: Raise | Return) -> Any:
    try:
        return outcome.result()
    except AlphacutError as error:
        error.index = index
        if on_error == "raise":
            raise
        return error
