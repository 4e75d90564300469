"""Answers and errors, and the room that they need in shared memory; with a stand-in for Triton's module."""

from __future__ import annotations

import os
import sys
import threading
import urllib.parse
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alphacut_core.errors import AlphacutError, InvalidOptionError, MissingLibraryError, OverloadedError
from alphacut_core.replies import ANSWERS, Replies, triton_error
from tests.unit.core.triton import SETTINGS, Request, Triton


def shared_memory_of(monkeypatch: pytest.MonkeyPatch, region_bytes: int, left_bytes: int) -> None:
    """Say how much of Triton's region in shared memory is free, and how much the file system has left."""
    region = SimpleNamespace(free_memory=lambda: region_bytes)
    monkeypatch.setitem(sys.modules, "c_python_backend_utils", SimpleNamespace(shared_memory=region))
    monkeypatch.setattr(
        os, "statvfs", lambda path: SimpleNamespace(f_bavail=left_bytes // 4096, f_blocks=2**20, f_frsize=4096)
    )


@pytest.mark.parametrize(("region_bytes", "left_bytes"), [(0, 9 * 2**20), (3 * 2**20, 0)])
def test_an_answer_without_room_in_shared_memory_is_an_error_that_says_so_and_the_next_one_is_sent(
    make_desk, monkeypatch: pytest.MonkeyPatch, region_bytes: int, left_bytes: int
) -> None:
    shared_memory_of(monkeypatch, region_bytes, left_bytes)
    triton = Triton()
    desk = make_desk(lambda request: [triton.Tensor("RENDERED", request.content)], 2, triton)
    large, small = Request(np.zeros((1, 6 * 2**20), np.uint8)), Request(np.zeros((1, 2**20), np.uint8))
    desk.take([large, small])
    assert small.wait().tensors[0].values is small.content
    error = AlphacutError.from_wire(str(large.wait().error))
    assert type(error) is OverloadedError
    assert str(error).startswith("got an answer of 6,291,456 bytes, for which the server has no room in /dev/shm; try")


def test_an_answer_that_fits_into_what_triton_holds_already_needs_no_more_shared_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared_memory_of(monkeypatch, 7 * 2**20, 0)
    request = Request()
    Replies(Triton(), SETTINGS).answer(request, {"MASK": np.zeros((1, 6 * 2**20), np.uint8)})
    assert request.wait().error is None


def test_answers_that_are_sent_at_the_same_moment_do_not_count_on_the_same_room(
    make_desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_memory_of(monkeypatch, 0, 12 * 2**20)  # for each of them, but not for both
    sending, go = threading.Event(), threading.Event()

    class Slow(Request):
        def send(self, response: Any, flags: int) -> None:
            sending.set()
            assert go.wait(30)
            super().send(response, flags)

    triton, content = Triton(), np.zeros((1, 5 * 2**20), np.uint8)
    desk = make_desk(lambda request: [triton.Tensor("RENDERED", request.content)], 2, triton)
    first, second, third = Slow(content), Request(content), Request(content)
    taking = threading.Thread(target=desk.take, args=[[first]])
    taking.start()
    assert sending.wait(30)
    Replies(triton, SETTINGS).answer(second, {"RENDERED": content})
    assert isinstance(AlphacutError.from_wire(str(second.wait().error)), OverloadedError)
    go.set()
    taking.join(30)
    assert first.wait().error is None
    desk.close()
    Replies(triton, SETTINGS).answer(third, {"RENDERED": content})
    assert third.wait().error is None


def test_an_answer_that_cannot_be_sent_is_logged_and_its_neighbours_are_answered(make_desk) -> None:
    class Broken(Request):
        def send(self, response: Any, flags: int) -> None:
            raise RuntimeError("Failed to increase the shared memory pool size")

    triton = Triton()
    whole = Request("whole")
    desk = make_desk(lambda request: [request.content], 1, triton)
    desk.take([Broken("lost"), whole])
    assert whole.wait().tensors == ["whole"]
    Replies(triton, SETTINGS).answer(Broken(), {"MASK": np.zeros((2, 3), np.uint8)})
    assert [line.partition(" is lost")[0] for line in triton.log] == ["an answer of 0 bytes", "an answer of 6 bytes"]
    assert "Failed to increase the shared memory pool size" in triton.log[1]
    counted = {name.rpartition('"status": ')[2]: count for name, count in triton.metrics.items() if ANSWERS in name}
    assert counted == {'"OK"}': 1.0, '"INTERNAL"}': 2.0}


@pytest.mark.parametrize("error", [KeyError("x" * 30_000), InvalidOptionError("\N{GRINNING FACE}" * 30_000)])
def test_an_error_is_never_longer_than_a_client_can_receive(error: Exception) -> None:
    request = Request()
    Replies(Triton(), SETTINGS).refuse(request, error)
    message = str(request.wait().error)
    assert len(urllib.parse.quote(message)) < 8_000
    assert type(AlphacutError.from_wire(message)) in (AlphacutError, InvalidOptionError)


def test_a_missing_library_is_reported_as_unsupported() -> None:
    triton = Triton()
    assert triton_error(triton, MissingLibraryError("needs x")).code == triton.TritonError.UNSUPPORTED
