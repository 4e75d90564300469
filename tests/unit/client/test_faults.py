"""Every way a call can fail becomes one class of the tree."""

from __future__ import annotations

import grpc
import pytest

from alphacut_client import _faults
from alphacut_core import errors

URL = "127.0.0.1:8001"
FAILURES = [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK]


@pytest.mark.parametrize("status", FAILURES, ids=lambda status: status.name)
def test_every_status_has_a_class_and_a_message_that_helps(status: grpc.StatusCode) -> None:
    error = _faults.from_status(status, "", URL)
    assert type(error) is not errors.AlphacutError
    assert URL in str(error)
    assert status.name in str(error)


@pytest.mark.parametrize(
    ("status", "details", "kind"),
    [
        ("UNAVAILABLE", "failed to connect to all addresses; Connection refused", errors.UnavailableError),
        ("UNAVAILABLE", "Socket closed", errors.UnavailableError),
        ("UNAVAILABLE", "in ensemble 'remove_background', Exceeds maximum queue size", errors.OverloadedError),
        ("UNAVAILABLE", "in ensemble 'remove_background', Request timeout expired", errors.OverloadedError),
        ("UNAVAILABLE", "Server is stopping to serve requests.", errors.UnavailableError),
        ("UNAVAILABLE", "Request for unknown model: 'u2netp' has no available versions", errors.UnavailableError),
        ("NOT_FOUND", "Request for unknown model: 'u2netp' is not found", errors.ContractError),
        ("INTERNAL", "Stub process 'preprocess_0_0' is not healthy.", errors.UnavailableError),
        ("INTERNAL", "onnxruntime execute failure", errors.InferenceError),
        ("INTERNAL", "Received RST_STREAM with error code 2", errors.UnavailableError),
        ("UNKNOWN", "Stream removed", errors.UnavailableError),
        ("INVALID_ARGUMENT", "unexpected inference input 'FOO' for model 'u2netp'", errors.ContractError),
        ("RESOURCE_EXHAUSTED", "SERVER: Received message larger than max (99 vs. 4)", errors.ImageTooLargeError),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", errors.DeadlineError),
        ("DEADLINE_EXCEEDED", "Stream removed (Deadline Exceeded)", errors.DeadlineError),
        ("UNIMPLEMENTED", "Method not found!", errors.ContractError),
    ],
)
def test_what_triton_and_grpc_say_decides(status: str, details: str, kind: type[errors.AlphacutError]) -> None:
    error = _faults.from_status(grpc.StatusCode[status], details, URL)
    assert type(error) is kind
    assert details in str(error)


def every_class(root: type[errors.AlphacutError] = errors.AlphacutError) -> list[type[errors.AlphacutError]]:
    """The classes that travel: core's, and not those that a gateway, imported by an earlier test, adds for itself."""
    ours = [child for child in root.__subclasses__() if child.__module__ == errors.__name__]
    return [root, *(kind for child in ours for kind in every_class(child))]


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
def test_an_error_that_the_server_raised_arrives_as_itself(kind: type[errors.AlphacutError]) -> None:
    details = f"in ensemble 'remove_background', {kind('the very words').to_wire()}"
    error = _faults.from_status(grpc.StatusCode.INTERNAL, details, URL)
    assert type(error) is kind
    assert str(error) == "the very words"
