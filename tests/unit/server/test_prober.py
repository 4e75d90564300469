"""A probe on a thread of its own: what comes of it, and that nobody has to wait for it."""

from __future__ import annotations

import contextlib
import threading

import pytest

from alphacut_core.errors import InferenceError, UnavailableError
from alphacut_server.prober import Prober
from tests.waiting import wait_until


def test_nobody_waits_for_a_probe_that_hangs() -> None:
    go = threading.Event()
    with contextlib.closing(Prober(lambda: go.wait(60) and None)) as prober:
        assert not prober.asking
        prober.begin()
        assert prober.asking
        assert not prober.has_outcome()
        go.set()
        wait_until("the outcome", prober.has_outcome)
        assert prober.outcome() is None
        assert not prober.asking


@pytest.mark.parametrize("error", [UnavailableError("no answer"), InferenceError("another answer")])
def test_what_is_wrong_is_told_in_words(error: Exception) -> None:
    def probe() -> None:
        raise error

    with contextlib.closing(Prober(probe)) as prober:
        for _ in range(2):
            prober.begin()
            assert prober.outcome() == str(error)


def test_a_bug_is_nothing_wrong_with_the_server() -> None:
    def probe() -> None:
        raise KeyError("bug")

    with contextlib.closing(Prober(probe)) as prober:
        prober.begin()
        with pytest.raises(KeyError):
            prober.outcome()
