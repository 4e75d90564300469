"""Threads that hold up neither the interpreter's end nor a forked child's."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")

NOTICE_S = 0.2
"""How long at most Python waits at a time: it hears of a signal that another thread took only between two waits."""


class Crew(Generic[_Result]):
    """Daemon threads, as many as have something to do at once; leaving the block waits for all of it.

    The threads of ``concurrent.futures`` are waited for before any hook of ``atexit``: a stream that somebody still
    holds would keep the interpreter for as long as its calls are repeated. Here they are given up then.

    Args:
        give_up: Makes what is under way end soon.
    """

    def __init__(self, give_up: Callable[[], None]) -> None:
        self.give_up = give_up
        self._to_do: SimpleQueue[tuple[int, Callable[[], _Result]] | None] = SimpleQueue()
        self._ended: SimpleQueue[tuple[int, Future[_Result]]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._dismissed = False

    def __enter__(self) -> Crew[_Result]:
        _AT_WORK.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()
        _AT_WORK.discard(self)

    def begin(self, index: int, function: Callable[[], _Result], busy: int) -> None:
        """Call ``function`` in a thread.

        Args:
            index: Names it in ``next_ended``.
            function: What to do.
            busy: How many were begun and not handed out by ``next_ended``, this one among them.

        Raises:
            RuntimeError: The interpreter ends.
        """
        if self._dismissed:
            raise RuntimeError("the interpreter is about to end; finish batches and streams before that")
        if len(self._threads) < busy:
            thread = threading.Thread(target=self._work, name=f"alphacut_{len(self._threads)}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._to_do.put((index, function))

    def next_ended(self) -> tuple[int, Future[_Result]]:
        """Wait until anything ends, and return which and how."""
        while True:
            with suppress(Empty):
                return self._ended.get(timeout=NOTICE_S)

    def dismiss(self) -> None:
        """Let everything end that was begun, and the threads; begin no more."""
        self._dismissed = True
        self._to_do.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._to_do.get()) is not None:
            index, function = task
            self._ended.put((index, _done(function)))
            del task, function  # a thread that waits holds no image
        self._to_do.put(None)  # for the next: Ctrl-C may have kept one out of the list of threads


def _done(function: Callable[[], _Result]) -> Future[_Result]:
    future: Future[_Result] = Future()
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001  whoever asks for the result hears of it
        future.set_exception(error)
    return future


_AT_WORK: set[Crew[Any]] = set()


def _give_up() -> None:
    for crew in tuple(_AT_WORK):
        crew.give_up()
    for crew in tuple(_AT_WORK):
        crew.dismiss()


atexit.register(_give_up)
os.register_at_fork(after_in_child=_AT_WORK.clear)  # whose threads and calls are the parent's
