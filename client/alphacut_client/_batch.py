"""Many images at once, in threads: N in, N out, in order."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Any

from alphacut_client._calls import Calls
from alphacut_client._connection import Connection
from alphacut_client._limiter import Limiter
from alphacut_client._outcome import Progress, Raise, Return, Wish, answer_or_error, check_batch
from alphacut_client._steps import walk
from alphacut_client._threads import side_by_side
from alphacut_client._work import Work
from alphacut_client.timings import Observer


class Batch:
    """A client's way of working on batches, for any number of threads."""

    def __init__(self, work: Work, connection: Connection, limiter: Limiter, observer: Observer | None) -> None:
        self._work = work
        self._connection = connection
        self._limiter = limiter
        self._observer = observer

    def answers(self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, progress: Progress) -> list[Any]:
        """Return one answer, or with ``on_error="return"`` one error, for each image."""
        answers: dict[int, Any] = {}
        with closing(self.stream(images, wish, on_error, ordered=False)) as answered:
            for index, answer in answered:
                answers[index] = answer
                if progress is not None:
                    progress(len(answers))
        return [answers[index] for index in range(len(answers))]

    def stream(
        self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, *, ordered: bool
    ) -> Generator[tuple[int, Any], None, None]:
        """Yield index and answer, or with ``on_error="return"`` error, of each image, in order or as it is there."""
        self._connection.check_open()
        check_batch(images, on_error)
        return self._stream(images, wish, on_error, ordered=ordered)

    def _stream(
        self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, *, ordered: bool
    ) -> Generator[tuple[int, Any], None, None]:
        calls = Calls(self._connection, self._limiter.overloaded)

        def one(image: Any) -> Any:
            return walk(self._work.answer(image, *wish), calls, self._observer)

        with closing(side_by_side(one, images, self._limiter, calls.give_up, ordered=ordered)) as outcomes:
            for index, outcome in outcomes:
                yield index, answer_or_error(index, outcome, on_error)
