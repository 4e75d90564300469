"""Steps in Python: who is answered when, who waits, and what is counted; with a stand-in for Triton's module."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

from alphacut_core import shared_memory
from alphacut_core.errors import AlphacutError, EmptyImageError, InvalidOptionError, OverloadedError
from tests.unit.core.triton import Request, Triton


def test_a_request_is_answered_when_it_is_done_though_others_of_its_batch_are_not(make_desk) -> None:
    slow, quick = Request("slow"), Request("quick")

    def handle(request: Request) -> list[Any]:
        if request is slow:
            assert quick.answered.wait(30)
        return [request.content]

    make_desk(handle, 2).take([slow, quick])
    assert quick.wait().tensors == ["quick"]
    assert slow.wait().tensors == ["slow"]


def test_triton_may_bring_more_while_everything_is_worked_on(make_desk) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def handle(request: Request) -> list[Any]:
        begun.release()
        assert go.wait(30)
        return [request.content]

    desk, requests = make_desk(handle, 2), [Request(i) for i in range(8)]
    for request in requests:  # what Triton is not given back at once, it lets wait for half a second
        desk.take([request])
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert not any(request.answered.is_set() for request in requests)
    go.set()
    assert [request.wait().tensors for request in requests] == [[i] for i in range(8)]


def test_files_for_which_there_is_no_shared_memory_are_refused_at_once(
    make_desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "bytes_of_waiting", lambda: 100)
    begun, go = threading.Event(), threading.Event()

    def handle(request: Request) -> list[Any]:
        begun.set()
        assert go.wait(30)
        return ["done"]

    desk, requests = make_desk(handle, 1), [Request(np.zeros(50, np.uint8)) for _ in range(4)]
    desk.take(requests[:1])
    assert begun.wait(30)
    desk.take(requests[1:])
    error = AlphacutError.from_wire(str(requests[3].wait().error))
    assert isinstance(error, OverloadedError)
    assert str(error).startswith(
        "2 wait before a step of the server already, in 100 bytes of shared memory at most; try"
    )
    go.set()
    assert [request.wait().tensors for request in requests[:3]] == [["done"]] * 3


def test_a_lower_level_goes_first_and_who_waited_for_too_long_is_refused(make_desk) -> None:
    begun, go = threading.Event(), threading.Event()
    served: list[object] = []

    def handle(request: Request) -> list[Any]:
        begun.set()
        assert go.wait(30)
        served.append(request.content)
        return [request.content]

    desk, first = make_desk(handle, 1), Request("first")
    desk.take([first])
    assert begun.wait(30)
    bulk, late, urgent = Request("bulk", level=2), Request("late", wait_us=1), Request("urgent", level=1)
    desk.take([bulk, late, urgent, plain := Request("says nothing")])
    go.set()
    error = AlphacutError.from_wire(str(late.wait().error))
    assert isinstance(error, OverloadedError)
    assert "s before a step of the server, which its deadline leaves no time for" in str(error)
    assert bulk.wait().tensors == ["bulk"]
    assert plain.wait().tensors == ["says nothing"]
    assert served == ["first", "urgent", "says nothing", "bulk"]


def test_a_request_without_parameters_waits_like_any_other(make_desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "parameters", lambda request: "")
    request = Request("plain")
    make_desk(lambda request: [request.content], 1).take([request])
    assert request.wait().tensors == ["plain"]


@pytest.mark.parametrize("parameters", [{"level": "soon"}, {"wait_us": []}, {"wait_us": "1.5"}])
def test_a_request_that_says_nonsense_of_its_wait_is_refused_alone(make_desk, parameters: dict[str, object]) -> None:
    odd, fine = Request("odd", **parameters), Request("fine")
    make_desk(lambda request: [request.content], 1).take([odd, fine])
    error = AlphacutError.from_wire(str(odd.wait().error))
    assert isinstance(error, InvalidOptionError)
    assert "level and wait_us are whole numbers" in str(error)
    assert fine.wait().tensors == ["fine"]


def test_work_and_wait_are_on_tritons_page(make_desk) -> None:
    begun, go = threading.Event(), threading.Event()

    def handle(request: Request) -> list[Any]:
        begun.set()
        assert go.wait(30)
        return [request.content]

    triton = Triton()
    desk, first, second = make_desk(handle, 1, triton), Request("first"), Request("second")
    desk.take([first])
    assert begun.wait(30)
    desk.take([second])
    pause_s = 0.05
    assert not second.answered.wait(pause_s)
    go.set()
    second.wait()
    desk.close()
    labels = json.dumps({"model": "preprocess", "version": "3"})
    assert triton.metrics[f"alphacut_work_us{labels}"] >= 1e6 * pause_s
    assert triton.metrics[f"alphacut_wait_us{labels}"] >= 1e6 * pause_s
    assert not triton.held  # one that outlives Triton's module brings the process down


def test_a_failing_request_fails_alone_and_a_bug_is_logged_with_its_traceback(make_desk) -> None:
    def handle(request: Request) -> list[Any]:
        if request.content == "bad":
            raise EmptyImageError("got 0 bytes")
        if request.content == "bug":
            raise KeyError("oops")
        return [request.content]

    triton = Triton()
    requests = [Request(content) for content in ("a", "bad", "bug", "b")]
    make_desk(handle, 2, triton).take(requests)
    first, second, third, fourth = (request.wait() for request in requests)
    assert (first.tensors, fourth.tensors) == (["a"], ["b"])
    assert second.error.code == triton.TritonError.INVALID_ARG
    assert type(AlphacutError.from_wire(str(second.error))) is EmptyImageError
    assert third.error.code == triton.TritonError.INTERNAL
    assert "unexpected KeyError: 'oops'; this is a bug" in str(third.error)
    assert len(triton.log) == 1
    assert "Traceback" in triton.log[0]


def test_what_was_answered_is_on_tritons_page(make_desk) -> None:
    def handle(request: Request) -> list[Any]:
        if isinstance(request.content, Exception):
            raise request.content
        return [request.content]

    triton = Triton()
    contents = ["a", EmptyImageError("got 0 bytes"), KeyError("oops"), "b", EmptyImageError("got 0 bytes")]
    desk = make_desk(handle, 2, triton)
    desk.take([*map(Request, contents), Request("late", wait_us=0)])
    desk.close()
    answers = {name.removeprefix("alphacut_answers"): n for name, n in triton.metrics.items() if "answers" in name}
    statuses = {"OK": 2, "INVALID_ARGUMENT": 2, "INTERNAL": 1, "UNAVAILABLE": 1}
    assert answers == {
        json.dumps({"model": "preprocess", "version": "3", "status": status}): n for status, n in statuses.items()
    }


def test_closing_a_desk_finishes_what_was_begun(make_desk) -> None:
    begun, go = threading.Semaphore(0), threading.Event()

    def handle(request: Request) -> list[Any]:
        begun.release()
        assert go.wait(30)
        return [request.content]

    desk, request = make_desk(handle, 1), Request("last")
    taking, closing = threading.Thread(target=desk.take, args=[[request]]), threading.Thread(target=desk.close)
    taking.start()
    assert begun.acquire(timeout=30)
    closing.start()
    go.set()
    closing.join(30)
    taking.join(30)
    assert request.answer.tensors == ["last"]
