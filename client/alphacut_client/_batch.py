"""Many images at once: N in, N out, in order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, Literal

from alphacut_client._connection import Calls, Connection
from alphacut_client._window import map_window
from alphacut_client._work import Work
from alphacut_core.errors import AlphacutError, InputError
from alphacut_core.options import Options

Raise = Literal["raise"]
Return = Literal["return"]
Progress = Callable[[int], None] | None
"""Called in the caller's thread with the number of images finished so far."""


class Batch:
    """A client's way of working on batches, for any number of threads."""

    def __init__(self, work: Work, connection: Connection, window: int) -> None:
        if window < 1:
            raise ValueError(f"got window={window}; at least 1 image must be under way")
        self._work = work
        self._connection = connection
        self._window = window

    def answers(
        self, images: Iterable[Any], options: Options, on_error: Raise | Return, progress: Progress
    ) -> list[Any]:
        """Return one answer, or with ``on_error="return"`` one error, for each image."""
        if on_error not in ("raise", "return"):
            raise ValueError(f"got on_error={on_error!r}; allowed are 'raise' and 'return'")
        if isinstance(images, (str, bytes)):
            raise InputError("got a single image; give a list or another iterable of images, or call remove or mask")
        calls = Calls(self._connection)
        work = functools.partial(self._work.answer, options=options, calls=calls)
        answers: dict[int, Any] = {}
        with closing(map_window(work, images, self._window, calls.give_up)) as outcomes:
            for index, outcome in outcomes:
                try:
                    answers[index] = outcome.result()
                except AlphacutError as error:
                    error.index = index
                    if on_error == "raise":
                        raise
                    answers[index] = error
                if progress is not None:
                    progress(len(answers))
        return [answers[index] for index in range(len(answers))]
