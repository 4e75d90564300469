"""Encryption by real handshakes, secrets and traces as the server sees them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from alphacut_client import AsyncClient, Client, Tls
from alphacut_core.errors import ServerError, UnavailableError

Serve = Callable[..., Any]
Photo = Callable[..., bytes]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_server_of_the_trusted_authority_is_spoken_to(
    asynchronous: bool, authority: trustme.CA, serve: Serve, photo: Photo
) -> None:
    server = serve(tls=authority.issue_cert("localhost"))
    url = f"localhost:{server.port}"

    async def run() -> bytes:
        async with AsyncClient(url, tls=Tls(roots=pem(authority))) as client:
            return await client.remove(photo())

    if asynchronous:
        assert asyncio.run(run())
    else:
        with Client(url, tls=Tls(roots=pem(authority))) as client:
            assert client.remove(photo())


@pytest.mark.parametrize(
    "wrong", [lambda ca: Tls(roots=pem(trustme.CA())), lambda ca: True], ids=["another authority", "the usual ones"]
)
def test_a_server_of_another_authority_is_refused(
    wrong: Callable[[trustme.CA], Any], authority: trustme.CA, serve: Serve, photo: Photo
) -> None:
    server = serve(tls=authority.issue_cert("localhost"))
    with Client(f"localhost:{server.port}", tls=wrong(authority)) as client, pytest.raises(ServerError) as refused:
        client.remove(photo())
    assert not refused.value.retryable
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value)
    assert "tls=" in str(refused.value)
    assert server.requests == []


def test_a_server_with_another_name_needs_that_name(authority: trustme.CA, serve: Serve, photo: Photo) -> None:
    url = f"127.0.0.1:{serve(tls=authority.issue_cert('cut.example')).port}"
    with Client(url, tls=Tls(roots=pem(authority))) as client, pytest.raises(ServerError, match="Hostname"):
        client.remove(photo())
    with Client(url, tls=Tls(roots=pem(authority), server_name="cut.example")) as client:
        assert client.remove(photo())


def test_mutual_tls_takes_files_and_lets_in_only_who_proves_himself(
    authority: trustme.CA, serve: Serve, photo: Photo, tmp_path: Path
) -> None:
    server = serve(tls=authority.issue_cert("localhost"), client_authority=authority)
    url = f"localhost:{server.port}"
    mine = authority.issue_cert("me.example")
    roots, certificate, key = tmp_path / "ca.pem", tmp_path / "me.pem", tmp_path / "me.key"
    authority.cert_pem.write_to_path(roots)
    mine.cert_chain_pems[0].write_to_path(certificate)
    mine.private_key_pem.write_to_path(key)
    with Client(url, tls=Tls(str(roots), certificate, key)) as client:
        assert client.remove(photo())
    stranger = trustme.CA().issue_cert("me.example")
    for tls in (
        Tls(roots),
        Tls(roots, stranger.cert_chain_pems[0].bytes(), stranger.private_key_pem.bytes()),
    ):
        with Client(url, tls=tls, retry_for_s=0) as client, pytest.raises(UnavailableError):
            client.remove(photo())
    assert len(server.requests) == 1


def test_a_plain_client_of_an_encrypted_server_fails_with_a_typed_error(
    authority: trustme.CA, serve: Serve, photo: Photo
) -> None:
    server = serve(tls=authority.issue_cert("localhost"))
    with Client(f"localhost:{server.port}", retry_for_s=0) as client, pytest.raises(UnavailableError):
        client.remove(photo())


def test_secrets_are_asked_anew_for_every_attempt(serve: Serve, photo: Photo) -> None:
    server = serve()
    tokens = iter(["first", "second"])
    with Client(server.url, token=lambda: next(tokens), api_key="key") as client:
        client.remove(photo())
        client.remove(photo())
    assert [seen["authorization"] for seen in server.metadata] == ["Bearer first", "Bearer second"]
    assert [seen["x-api-key"] for seen in server.metadata] == ["key", "key"]


def test_a_refused_secret_is_not_sent_again(serve: Serve, photo: Photo) -> None:
    import grpc

    def refuse(request: Any, context: grpc.ServicerContext) -> Any:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

    server = serve(refuse)
    with Client(server.url, token="t") as client, pytest.raises(ServerError, match="api_key="):  # noqa: S106
        client.remove(photo())
    assert len(server.requests) == 1


@pytest.fixture
def tracer() -> Iterator[trace.Tracer]:
    provider = TracerProvider()
    yield provider.get_tracer("test")
    provider.shutdown()


def test_the_callers_trace_goes_along_into_the_threads_of_a_batch_too(
    tracer: trace.Tracer, serve: Serve, photo: Photo
) -> None:
    server = serve()
    with Client(server.url) as client:
        with tracer.start_as_current_span("call") as span:
            client.remove(photo())
            client.remove_batch([photo()] * 3)
            list(client.stream([photo()]))
        client.remove(photo())
    traceparent = f"{span.get_span_context().trace_id:032x}-{span.get_span_context().span_id:016x}"
    assert [traceparent in seen.get("traceparent", "") for seen in server.metadata] == [True] * 5 + [False]


def test_the_callers_trace_goes_along_on_an_event_loop(tracer: trace.Tracer, serve: Serve, photo: Photo) -> None:
    server = serve()

    async def run() -> None:
        async with AsyncClient(server.url) as client:
            with tracer.start_as_current_span("call"):
                await client.remove_batch([photo()] * 2)

    asyncio.run(run())
    assert ["traceparent" in seen for seen in server.metadata] == [True, True]


def test_without_opentelemetry_nothing_of_it_is_imported() -> None:
    import subprocess

    code = (
        "import sys; from alphacut_client import Client\n"
        "from alphacut_client._metadata import metadata\n"
        "from alphacut_client.settings import Settings\n"
        "assert metadata(Settings()) == ()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
