"""``alphacut gateway``: HTTP in the foreground."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import sys
from pathlib import Path

import click
import uvicorn

from alphacut_client import EmbeddedServer
from alphacut_core.errors import ContractError
from alphacut_gateway.app import create_app, log_to_stderr
from alphacut_gateway.envelope import MAX_HEAD_BYTES
from alphacut_gateway.protocol import with_deadline
from alphacut_gateway.settings import Settings


@click.command()
@click.option("--url", envvar="ALPHACUT_URL", metavar="HOST:PORT", help="Triton's gRPC address; default: embedded.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="HTTP port; 0: a free one.")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Model repository that the embedded server serves.",
)
def gateway(url: str | None, host: str, port: int, repository: Path | None) -> None:
    """Serve the HTTP API and the web page until Ctrl-C.

    Prints the lines "HTTP http://HOST:PORT" and "gRPC HOST:PORT", which is Triton's address, on standard output
    once it answers. Without --url an embedded server is started for it. Further settings are read from
    $ALPHACUT_GATEWAY_..., as gateway/README.md lists them.
    """
    log_to_stderr()
    try:
        settings = Settings.from_environment(os.environ)
    except ValueError as error:
        raise ContractError(str(error)) from error
    _check_exposure(host, settings)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(host, port))
        triton_url = url or stack.enter_context(EmbeddedServer(repository)).url
        settings = Settings.from_environment(os.environ, triton_url=triton_url)
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))  # uvicorn raises it once all is closed
        _Server(_config(settings), triton_url).run([listener])


class _Server(uvicorn.Server):
    """Uvicorn that says where it and the Triton behind it listen once it does."""

    def __init__(self, config: uvicorn.Config, triton_url: str) -> None:
        super().__init__(config)
        self._triton_url = triton_url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port, *_ = listener.getsockname()
            click.echo(f"HTTP http://{f'[{host}]' if ':' in host else host}:{port}")
        click.echo(f"gRPC {self._triton_url}")
        sys.stdout.flush()


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        http=with_deadline(settings.head_timeout_s),
        log_level="warning",
        access_log=False,  # the application writes its own line, without addresses' queries
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ContractError(f"cannot listen on {host} port {port} ({error.strerror}); choose another") from error
    return listener


def _check_exposure(host: str, settings: Settings) -> None:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and not settings.api_key_hashes:
        raise ContractError(
            f"got --host {host} without API keys, which would serve everybody; set $ALPHACUT_GATEWAY_API_KEY_HASHES "
            "to the SHA-256 of each key, or listen on 127.0.0.1 behind a proxy that knows its callers"
        )
