"""Ctrl-C ends work in several threads at once, whichever of them hears of it and whatever it interrupts."""

from __future__ import annotations

import io
import signal
import threading
from pathlib import Path

import pytest
from rich.console import Console

from alphacut_client._crew import Crew
from alphacut_client._limiter import FixedLimit
from alphacut_client._threads import side_by_side
from alphacut_client.folder import Job
from alphacut_client.sweep import sweep

STUCK_S = 30


class Interrupted:
    """A call that takes the process's Ctrl-C in its own thread, then waits to be given up."""

    def __init__(self) -> None:
        self.given_up = threading.Event()
        self.in_time = False

    def __call__(self, _item: object) -> bytes:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        self.in_time = self.given_up.wait(STUCK_S)
        return b""


def test_a_batch_ends_by_an_interrupt_that_another_thread_took() -> None:
    interrupted = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(interrupted, [1], FixedLimit(1), interrupted.given_up.set, ordered=True))
    assert interrupted.in_time


def test_a_folder_ends_by_an_interrupt_that_another_thread_took(tmp_path: Path) -> None:
    interrupted = Interrupted()
    jobs = [Job(tmp_path / "photo.jpg", tmp_path / "photo.png")]
    shown = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        sweep(jobs, interrupted, 1, interrupted.given_up.set, Console(file=shown))
    assert interrupted.in_time
    assert shown.getvalue() == ""


def test_a_thread_whose_start_was_interrupted_ends_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, []

    def interrupted_start(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        if len(started) == 2:
            raise KeyboardInterrupt

    def leave() -> None:
        with Crew[None](lambda: None) as crew:
            crew.begin(0, lambda: None, busy=1)
            crew.begin(1, lambda: None, busy=2)

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt):
        leave()
    for thread in started:
        thread.join(STUCK_S)
        assert not thread.is_alive()
