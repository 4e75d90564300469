"""The closed loop."""

from __future__ import annotations

import threading

import pytest

from alphacut_core.errors import InferenceError
from alphacut_loadtest.bench import loop

PICTURES = [b"one", b"two", b"three"]


def test_every_picture_is_answered_in_every_pass() -> None:
    done = loop.run(lambda data: data, PICTURES, passes=2, concurrency=2)
    assert [picture for picture, _ in done.latencies_s] == [0, 1, 2, 0, 1, 2]
    assert all(0 <= seconds <= done.wall_s for _, seconds in done.latencies_s)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_so_many_callers_ask_at_once_and_no_more(concurrency: int) -> None:
    together = threading.Barrier(concurrency)
    active, peak, lock = 0, 0, threading.Lock()

    def call(data: bytes) -> bytes:
        nonlocal active, peak
        with lock:
            active += 1
            peak = max(peak, active)
        together.wait(10)  # breaks unless all callers are here
        with lock:
            active -= 1
        return data

    loop.run(call, PICTURES, passes=2, concurrency=concurrency)
    assert peak == concurrency


def test_a_failing_call_fails_the_run() -> None:
    def call(_data: bytes) -> bytes:
        raise InferenceError("broken")

    with pytest.raises(InferenceError, match="broken"):
        loop.run(call, PICTURES, passes=1, concurrency=2)
