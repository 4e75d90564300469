"""Several servers take turns; one that is gone or hangs is left out, one that is back is found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from alphacut_client import Client
from alphacut_core.errors import DeadlineError, OverloadedError
from tests.faulty_proxy import FaultyProxy

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


def test_several_servers_take_turns(serve: Serve, photo: Photo) -> None:
    servers = [serve(), serve(), serve()]
    with Client([server.url for server in servers], window=3) as client:
        while not all(server.requests for server in servers):  # until all three are connected
            client.mask(photo())
        before = [len(server.requests) for server in servers]
        client.mask_batch([photo()] * 30)
    gained = [len(server.requests) - sofar for server, sofar in zip(servers, before, strict=True)]
    assert gained == [10, 10, 10]


def test_a_server_that_goes_away_costs_no_image_and_is_found_when_it_is_back(serve: Serve, photo: Photo) -> None:
    staying, leaving = serve(), serve()
    with Client([staying.url, leaving.url], window=4) as client:
        while not leaving.requests:
            client.mask(photo())

        def go(finished: int) -> None:
            if finished == 10:
                leaving.stop()

        assert len(client.mask_batch([photo()] * 40, progress=go)) == 40
        back = serve(port=leaving.port)
        while not back.requests:
            client.mask(photo())


def test_a_server_that_hangs_costs_its_deadlines_and_is_left_out(
    serve: Serve, photo: Photo, respond: Callable[..., Any]
) -> None:
    over = threading.Event()

    def hang(request: Any, context: grpc.ServicerContext) -> Any:
        over.wait(60)
        return respond(request)

    healthy, hung = serve(), serve(hang)
    try:
        with Client([healthy.url, hung.url], timeout_s=2.0, window=4) as client:
            while not hung.requests:
                client.mask(photo())
            while (asked := len(hung.requests)) < 60:
                client.mask_batch([photo()] * 8)  # what hung was sent to the other one: no image is lost
                if len(hung.requests) == asked:
                    break
            assert asked < 60  # a round in which it was asked nothing
    finally:
        over.set()


@pytest.fixture
def proxy(serve: Serve) -> Iterator[FaultyProxy]:
    """A proxy in front of a server."""
    server = serve()
    proxy = FaultyProxy(server.port)
    yield proxy
    proxy.close()


def test_a_connection_that_swallows_everything_costs_one_deadline(proxy: FaultyProxy, photo: Photo) -> None:
    with Client(proxy.url, retry_for_s=0) as client:
        client.mask(photo())
        proxy.freeze()  # this connection stays open and silent for ever; others are well
        with pytest.raises(DeadlineError):
            client.mask(photo(), timeout_s=0.5)
        assert client.mask(photo())
    assert proxy.accepted == 2


def test_a_full_queue_says_when_to_come_back_and_a_batch_does(
    serve: Serve, photo: Photo, respond: Callable[..., Any]
) -> None:
    full = iter([True] * 3)

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if next(full, False):
            context.abort(grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size")
        return respond(request)

    server = serve(answer)
    with Client(server.url) as client:
        with pytest.raises(OverloadedError) as refused:
            client.mask(photo())
        assert 0.5 <= refused.value.retry_after_s <= 30
        assert len(client.mask_batch([photo()] * 6)) == 6
    assert len(server.requests) == 1 + 2 + 6
