"""Retries, deadlines and giving up, against servers that fail on demand."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2

from alphacut_client import _wire
from alphacut_client._calls import Calls
from alphacut_client._connection import Connection
from alphacut_client._steps import Send
from alphacut_client.settings import Settings
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import (
    DeadlineError,
    InvalidOptionError,
    OverloadedError,
    UnavailableError,
    UndecodableImageError,
)
from alphacut_core.options import Options

REQUEST = _wire.predict_file(DEFAULT_PIPELINE, b"any bytes", Options())
Serve = Callable[..., Any]


def connect(url: Any, **settings: Any) -> Connection:
    return Connection(Settings(url, **{"retry_for_s": 20.0, **settings}))


def call(connection: Connection, request: Any) -> Any:
    return connection.finish(connection.start("ModelInfer", request, 20.0))


def infer(url: Any, *, timeout_s: float = 20.0, **settings: Any) -> Any:
    connection = connect(url, **settings)
    try:
        with Calls(connection).send(Send(REQUEST, timeout_s)) as pending:
            return pending.response()
    finally:
        connection.close()


def failing(times: int, status: grpc.StatusCode, details: str, respond: Callable[..., Any]) -> Callable[..., Any]:
    """Fail so many requests, then answer."""
    left = iter(range(times))

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if next(left, None) is not None:
            context.abort(status, details)
        return respond(request)

    return answer


def test_a_request_is_repeated_until_the_server_is_there_again(serve: Serve, respond: Callable[..., Any]) -> None:
    server = serve(failing(3, grpc.StatusCode.UNAVAILABLE, "Server is stopping to serve requests.", respond))
    assert infer(server.url).model_name == REQUEST.model_name
    assert len(server.requests) == 4


def test_a_server_killed_with_the_request_under_way_and_restarted_answers_it(serve: Serve, hang: Any) -> None:
    first = serve(hang)
    with ThreadPoolExecutor(1) as executor:
        answer = executor.submit(infer, first.url)
        assert hang.arrived.wait(20)
        first.stop()
        second = serve(port=first.port)
        assert answer.result(20).model_name == REQUEST.model_name
    assert len(second.requests) == 1


def test_a_server_that_stays_away_costs_the_time_for_retries_and_no_more(serve: Serve) -> None:
    gone = serve()
    gone.stop()
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="alphacut serve"):
        infer(gone.url, retry_for_s=0.5)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("status", "details", "kind"),
    [
        ("INVALID_ARGUMENT", UndecodableImageError("broken").to_wire(), UndecodableImageError),
        ("UNAVAILABLE", "Exceeds maximum queue size", OverloadedError),
    ],
)
def test_what_no_repetition_cures_is_sent_once(
    status: str, details: str, kind: type[Exception], serve: Serve, respond: Callable[..., Any]
) -> None:
    server = serve(failing(1, grpc.StatusCode[status], details, respond))
    with pytest.raises(kind):
        infer(server.url)
    assert len(server.requests) == 1


def test_a_hung_server_costs_the_deadline_and_the_request_is_not_repeated(serve: Serve, hang: Any) -> None:
    server = serve(hang)
    with pytest.raises(DeadlineError, match="timeout_s"):
        infer(server.url, timeout_s=0.2)
    assert hang.left.wait(20)
    assert len(server.requests) == 1


def test_a_call_that_nobody_waits_for_is_cancelled_on_the_server(serve: Serve, hang: Any) -> None:
    connection = connect(serve(hang).url)

    pending = Calls(connection).send(Send(REQUEST, 20.0))  # kept: gRPC itself cancels what is garbage
    with pending:
        assert hang.arrived.wait(20)
    assert hang.left.wait(20)
    connection.close()


def test_giving_up_ends_a_pause_between_two_attempts(serve: Serve, respond: Callable[..., Any]) -> None:
    server = serve(failing(1000, grpc.StatusCode.UNAVAILABLE, "restarting", respond))
    connection = connect(server.url, retry_for_s=1000)
    calls = Calls(connection)
    with ThreadPoolExecutor(1) as executor:
        answer = executor.submit(calls.send(Send(REQUEST, 20.0)).response)
        calls.give_up()
        assert isinstance(answer.exception(20), UnavailableError)
    connection.close()


def test_closing_ends_what_is_under_way_without_repeating_it(serve: Serve, hang: Any) -> None:
    server = serve(hang)
    connection = connect(server.url, retry_for_s=1000)
    with ThreadPoolExecutor(1) as executor:
        answer = executor.submit(Calls(connection).send(Send(REQUEST, 20.0)).response)
        assert hang.arrived.wait(20)
        connection.close()
        with pytest.raises(UnavailableError, match="closed"):
            answer.result(20)
    assert len(server.requests) == 1


def test_a_closed_connection_says_so(serve: Serve) -> None:
    connection = connect(serve().url)
    connection.close()
    connection.close()
    with pytest.raises(RuntimeError, match="create a new Client"):
        connection.check_open()
    with pytest.raises(UnavailableError, match="closed"):  # of what was begun before
        call(connection, REQUEST)


def test_messages_may_be_larger_than_grpcs_own_limit_both_ways(serve: Serve) -> None:
    large = bytes(6 * 2**20)
    answer = service_pb2.ModelInferResponse(raw_output_contents=[large])
    connection = connect(serve(lambda request, context: answer).url)
    request = _wire.predict_file(DEFAULT_PIPELINE, large, Options())
    assert call(connection, request).raw_output_contents == [large]
    connection.close()


@pytest.mark.parametrize(("timeout_s", "retry_for_s"), [(0.049, 1.0), (0.0, 1.0), (1.0, -1.0)])
def test_deadlines_that_crash_old_servers_and_negative_times_are_refused(timeout_s: float, retry_for_s: float) -> None:
    with pytest.raises((ValueError, InvalidOptionError), match=r"got (timeout_s|retry_for_s)="):
        Settings("127.0.0.1:1", timeout_s=timeout_s, retry_for_s=retry_for_s)
