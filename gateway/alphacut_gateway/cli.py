"""``alphacut gateway``: HTTP in the foreground."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import click

from alphacut_client import EmbeddedServer
from alphacut_core.errors import ContractError
from alphacut_core.loopback import is_loopback
from alphacut_gateway import serving
from alphacut_gateway.app import log_to_stderr
from alphacut_gateway.settings import Settings


@click.command()
@click.option(
    "--url",
    envvar="ALPHACUT_URL",
    metavar="HOST:PORT",
    help="Triton's gRPC address, or $ALPHACUT_URL; default: embedded.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="HTTP port; default: a free one."
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="What the embedded server serves; default: the checkout's, or $ALPHACUT_REPOSITORY.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that share the port; several need Redis or a file for jobs.",
)
def gateway(url: str | None, host: str, port: int, repository: Path | None, workers: int) -> None:
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
        if workers == 1:
            serving.serve(settings, listener)
        else:
            serving.serve_in_workers(settings, listener, workers)


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
    if not is_loopback(host) and not settings.api_key_hashes:
        raise ContractError(
            f"got --host {host} without API keys, which would serve everybody; set $ALPHACUT_GATEWAY_API_KEY_HASHES "
            "to the SHA-256 of each key, or listen on 127.0.0.1 behind a proxy that knows its callers"
        )
