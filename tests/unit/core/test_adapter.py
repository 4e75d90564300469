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

from alphacut_core import adapter
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


class Triton:
    """The part of ``triton_python_backend_utils`` that adapters use."""

    class TritonError(Exception):
        INTERNAL, INVALID_ARG, UNAVAILABLE, UNSUPPORTED = range(4)

        def __init__(self, message: str, code: int) -> None:
            super().__init__(message)
            self.code = code

    def __init__(self) -> None:
        self.log: list[str] = []
        self.Logger = SimpleNamespace(log_error=self.log.append)

    TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1

    @staticmethod
    def Tensor(name: str, values: np.ndarray) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(name=name, values=values, as_numpy=lambda: values)

    @staticmethod
    def InferenceResponse(output_tensors: list[Any] | None = None, error: Any = None) -> SimpleNamespace:  # noqa: N802
        real = [tensor for tensor in output_tensors or [] if hasattr(tensor, "as_numpy")]  # some tests send words
        return SimpleNamespace(tensors=output_tensors, error=error, output_tensors=lambda: real)

    @staticmethod
    def get_input_tensor_by_name(request: dict[str, np.ndarray], name: str) -> SimpleNamespace:
        return SimpleNamespace(as_numpy=lambda: request[name])


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


class Request:
    """One request as Triton hands it over; ``answer`` is filled by whoever serves it."""

    def __init__(self, content: object = None) -> None:
        self.content = content
        self.answered = threading.Event()
        self.answer: Any = None

    def get_response_sender(self) -> Request:
        return self

    def send(self, response: Any, flags: int) -> None:
        assert flags == Triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL
        assert not self.answered.is_set(), "a request is answered once"
        self.answer = response
        self.answered.set()

    def wait(self) -> Any:
        assert self.answered.wait(30)
        return self.answer


@pytest.fixture
def make_desk() -> Iterator[Callable[..., adapter.Desk]]:
    with ExitStack() as stack:

        def make(handle: Callable[[Request], list[Any]], places: int, triton: Triton | None = None) -> adapter.Desk:
            desk = adapter.Desk(triton or Triton(), handle, places)
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


def test_a_full_desk_makes_triton_wait_and_nobody_else(make_desk) -> None:
    go = threading.Event()
    requests = [Request(i) for i in range(3)]
    begun = threading.Semaphore(0)

    def handle(request: Request) -> list[Any]:
        begun.release()
        assert go.wait(30)
        return [request.content]

    desk = make_desk(handle, 2)
    taking = threading.Thread(target=desk.take, args=[requests])
    taking.start()
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert taking.is_alive(), "the third request has no place yet"
    go.set()
    assert [request.wait().tensors for request in requests] == [[0], [1], [2]]
    taking.join(30)
    assert not taking.is_alive()


def test_triton_brings_the_next_batch_when_one_of_this_is_done_and_another_is_not(make_desk) -> None:
    go = {name: threading.Event() for name in ("slow", "quick")}

    def handle(request: Request) -> list[Any]:
        assert go[str(request.content)].wait(30)
        return [request.content]

    slow, quick = Request("slow"), Request("quick")
    taking = threading.Thread(target=make_desk(handle, 2).take, args=[[slow, quick]])
    taking.start()
    taking.join(0.05)
    assert taking.is_alive(), "its clock runs while both are worked on"
    go["quick"].set()
    taking.join(30)
    assert not taking.is_alive()
    assert not slow.answered.is_set()
    go["slow"].set()
    assert slow.wait().tensors == ["slow"]


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


def test_an_answer_of_several_rows_is_sent_once_when_the_last_of_them_is_there() -> None:
    request = Request()
    rows = np.zeros((3, 2), np.uint8)
    answer = adapter.Answer(Triton(), request, {"MASK": rows})
    for row in (2, 0):
        answer.tensors["MASK"][row] = row + 1
        answer.row_is_done()
        assert not request.answered.is_set()
    answer.tensors["MASK"][1] = 2
    answer.row_is_done()
    (tensor,) = request.wait().tensors
    assert tensor.name == "MASK"
    assert tensor.values[:, 0].tolist() == [1, 2, 3]


def shared_memory_of(monkeypatch: pytest.MonkeyPatch, region_bytes: int, left_bytes: int) -> None:
    """Say how much of Triton's region in shared memory is free, and how much the file system has left."""
    region = SimpleNamespace(free_memory=lambda: region_bytes)
    monkeypatch.setitem(sys.modules, "c_python_backend_utils", SimpleNamespace(shared_memory=region))
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=left_bytes // 4096, f_frsize=4096))


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
