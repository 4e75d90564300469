"""What the Python models in Triton share, with a stand-in for Triton's module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alphacut_core import adapter
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import AlphacutError, ContractError, EmptyImageError, InvalidOptionError, MissingLibraryError
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

    @staticmethod
    def InferenceResponse(output_tensors: list[Any] | None = None, error: Any = None) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(tensors=output_tensors, error=error)

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


def test_answers_come_in_the_order_of_the_requests_though_made_side_by_side() -> None:
    barrier = threading.Barrier(4, timeout=30)

    def handle(request: int) -> list[Any]:
        barrier.wait()  # passes only if all four run at once
        return [request]

    with ThreadPoolExecutor(4) as pool:
        answers = adapter.respond(Triton(), [3, 1, 4, 1], handle, pool)
    assert [answer.tensors for answer in answers] == [[3], [1], [4], [1]]


def test_a_failing_request_fails_alone_and_a_bug_is_logged_with_its_traceback() -> None:
    def handle(request: str) -> list[Any]:
        if request == "bad":
            raise EmptyImageError("got 0 bytes")
        if request == "bug":
            raise KeyError("oops")
        return [request]

    triton = Triton()
    with ThreadPoolExecutor(2) as pool:
        first, second, third, fourth = adapter.respond(triton, ["a", "bad", "bug", "b"], handle, pool)
    assert (first.tensors, fourth.tensors) == (["a"], ["b"])
    assert second.error.code == triton.TritonError.INVALID_ARG
    assert type(AlphacutError.from_wire(str(second.error))) is EmptyImageError
    assert third.error.code == triton.TritonError.INTERNAL
    assert "unexpected KeyError: 'oops'; this is a bug" in str(third.error)
    assert len(triton.log) == 1
    assert "Traceback" in triton.log[0]


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
