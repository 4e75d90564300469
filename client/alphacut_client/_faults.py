"""From gRPC's statuses and Triton's texts to the one tree of errors."""

from __future__ import annotations

import re

import grpc

from alphacut_core.errors import (
    AlphacutError,
    ContractError,
    DeadlineError,
    ImageTooLargeError,
    InferenceError,
    OverloadedError,
    ServerError,
    UnavailableError,
)

# Triton uses one status for several faults, so its texts are looked at before the status. First match counts.
_BY_TEXT: tuple[tuple[str, type[AlphacutError]], ...] = (
    # A handshake that failed for what was proven, not for want of a server: repeating proves no more.
    (r"certificate_verify_failed|hostname verification|wrong_version_number", ServerError),
    (r"exceeds maximum queue size|timeout expired", OverloadedError),
    # A dead Python process, a model that is being loaded, a connection cut in mid-answer: a restart cures them.
    (r"stub process|is not healthy|at ready state|has no available versions|not ready", UnavailableError),
    (r"stream removed|rst_stream|socket closed|connection reset|goaway", UnavailableError),
    (r"unknown model|model .* is not found", ContractError),
    (r"larger than max", ImageTooLargeError),
)

_BY_STATUS: dict[grpc.StatusCode, type[AlphacutError]] = {
    grpc.StatusCode.CANCELLED: UnavailableError,  # by a server that shuts down
    grpc.StatusCode.UNKNOWN: InferenceError,
    grpc.StatusCode.INVALID_ARGUMENT: ContractError,  # what the caller got wrong carries its own class
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.NOT_FOUND: ContractError,
    grpc.StatusCode.ALREADY_EXISTS: InferenceError,
    grpc.StatusCode.PERMISSION_DENIED: ServerError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.FAILED_PRECONDITION: InferenceError,
    grpc.StatusCode.ABORTED: UnavailableError,
    grpc.StatusCode.OUT_OF_RANGE: InferenceError,
    grpc.StatusCode.UNIMPLEMENTED: ContractError,
    grpc.StatusCode.INTERNAL: InferenceError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DATA_LOSS: InferenceError,
    grpc.StatusCode.UNAUTHENTICATED: ServerError,
}

_ADVICE: dict[type[AlphacutError], str] = {
    OverloadedError: "send fewer images at once, or come back in a few seconds",
    UnavailableError: "start a server with `alphacut serve`, or check the address",
    ContractError: "check that the server serves Alphacut's model repository, of the same release as this client",
    ImageTooLargeError: "send a smaller or more strongly compressed image",
    DeadlineError: "raise timeout_s, or send fewer images at once",
    InferenceError: "look at the server's log for the cause",
    ServerError: "check tls=, token= and api_key= against what the server proves and asks for",
}


def from_status(status: grpc.StatusCode, details: str, url: str) -> AlphacutError:
    """Return the one error that a failed call stands for.

    Args:
        status: gRPC's status, not ``OK``.
        details: The text that came with it.
        url: Which server was called, for the message.
    """
    told = AlphacutError.from_wire(details)
    if told is not None:
        return told
    kind = _BY_STATUS[status]
    if status is not grpc.StatusCode.DEADLINE_EXCEEDED:  # which may say "Stream removed" of the call that it ended
        kind = next((kind for pattern, kind in _BY_TEXT if re.search(pattern, details, re.IGNORECASE)), kind)
    return kind(f"the server at {url} answered {status.name}: {details or 'no details'}; {_ADVICE[kind]}")
