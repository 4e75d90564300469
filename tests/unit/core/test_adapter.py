"""What the Python models in Triton share, with a stand-in for Triton's module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alphacut_core import adapter, shared_memory
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import (
    AlphacutError,
    ContractError,
    EmptyImageError,
    InvalidOptionError,
    MissingLibraryError,
    OverloadedError,
)
from alphacut_core.limits import Limits
from tests.unit.core.triton import Request, Triton


def arguments(parameters: dict[str, str]) -> dict[str, str]:
    values = {name: {"string_value": value} for name, value in parameters.items()}
    config = {"name": "preprocess", "parameters": values}
    return {"model_config": json.dumps(config), "model_repository": "/models/preprocess", "model_version": "3"}


def test_settings_are_those_of_the_configuration() -> None:
    settings = adapter.start(
        arguments({"contract_version": CONTRACT_VERSION, "max_bytes": "10", "max_pixels": "20", "size": "320"})
    )
    assert settings.folder == "/models/preprocess/3"
    assert settings.limits == Limits(10, 20)
    assert settings.parameters["size"] == "320"


def test_a_model_of_another_contract_is_not_started() -> None:
    with pytest.raises(ContractError, match="model 'preprocess' is configured for contract version '0'"):
        adapter.start(arguments({"contract_version": "0"}))


def test_a_request_carries_one_image() -> None:
    request = {"IMAGE": np.zeros((1, 4, 4, 3), np.uint8), "TWO": np.zeros((2, 4), np.uint8)}
    assert adapter.array(Triton(), request, "IMAGE").shape == (4, 4, 3)
    with pytest.raises(InvalidOptionError, match="got 2 images in one request; send one"):
        adapter.array(Triton(), request, "TWO")


@pytest.fixture
def make_desk() -> Iterator[Callable[..., adapter.Desk]]:
    with ExitStack() as stack:

        def make(handle: Callable[[Request], list[Any]], places: int, triton: Triton | None = None) -> adapter.Desk:
            settings = adapter.Settings("preprocess", "3", "/models/preprocess/3", {})
            desk = adapter.Desk(triton or Triton(), settings, handle, places)
            stack.callback(desk.close)
            return desk

        yield make


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
    bulk, late, urgent = Request("bulk", level=2), Request("late", wait_us=0), Request("urgent", level=1)
    desk.take([bulk, late, urgent])
    go.set()
    error = AlphacutError.from_wire(str(late.wait().error))
    assert isinstance(error, OverloadedError)
    assert "s before a step of the server, which its deadline leaves no time for" in str(error)
    assert bulk.wait().tensors == ["bulk"]
    assert served == ["first", "urgent", "bulk"]


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
    assert triton.metrics[f"alphacut_waiting{labels}"] == 0
    assert not triton.families  # one that outlives Triton's module brings the process down


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
    adapter.answer(Triton(), request, {"MASK": np.zeros((1, 6 * 2**20), np.uint8)})
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
    adapter.answer(triton, second, {"RENDERED": content})
    assert isinstance(AlphacutError.from_wire(str(second.wait().error)), OverloadedError)
    go.set()
    taking.join(30)
    assert first.wait().error is None
    desk.close()
    adapter.answer(triton, third, {"RENDERED": content})
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
    adapter.answer(triton, Broken(), {"MASK": np.zeros((2, 3), np.uint8)})
    assert [line.partition(" is lost")[0] for line in triton.log] == ["an answer of 0 bytes", "an answer of 6 bytes"]
    assert "Failed to increase the shared memory pool size" in triton.log[1]


@pytest.mark.parametrize("error", [KeyError("x" * 30_000), InvalidOptionError("\N{GRINNING FACE}" * 30_000)])
def test_an_error_is_never_longer_than_a_client_can_receive(error: Exception) -> None:
    request = Request()
    adapter.refuse(Triton(), request, error)
    message = str(request.wait().error)
    assert len(urllib.parse.quote(message)) < 8_000
    assert type(AlphacutError.from_wire(message)) in (AlphacutError, InvalidOptionError)


def test_a_missing_library_is_reported_as_unsupported() -> None:
    triton = Triton()
    assert adapter.triton_error(triton, MissingLibraryError("needs x")).code == triton.TritonError.UNSUPPORTED


def test_a_stub_ends_when_its_supervisor_is_gone() -> None:
    program = (
        "import json, sys, threading\nfrom alphacut_core import adapter\n"
        f"adapter.start(json.loads({json.dumps(json.dumps(arguments({'contract_version': CONTRACT_VERSION})))}))\n"
        "print('started', flush=True)\nthreading.Event().wait(60)\n"
    )
    theirs, ours = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, adapter.LIFELINE_VARIABLE: str(theirs)},
        pass_fds=[theirs],
        stdout=subprocess.PIPE,
    ) as stub:
        os.close(theirs)
        assert stub.stdout is not None
        assert stub.stdout.readline() == b"started\n"
        assert stub.poll() is None
        os.close(ours)
        assert stub.wait(30) == 1
