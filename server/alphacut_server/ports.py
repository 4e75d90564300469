"""Loopback ports: which are free, and whose they are."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from alphacut_core.errors import ServerStartError
from alphacut_server.launch import LOOPBACK


@contextmanager
def claim(port: int, option: str) -> Iterator[None]:
    """Keep other embedded servers from a loopback port, from before Triton listens there to the end.

    Triton listens late and not while it is restarted; another server that came meanwhile would take its answers for
    those of its own.

    Args:
        port: Its number.
        option: How the caller named it, for the message.

    Raises:
        ServerStartError: Another server has it, or somebody listens there.
    """
    with socket.socket(socket.AF_UNIX) as sign:
        try:
            sign.bind(f"\0alphacut-port-{port}")  # in no folder: the kernel keeps it for each network, as ports
        except OSError as error:
            raise _taken(port, "it is another embedded server's", option) from error
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((LOOPBACK, port))
            except OSError as error:
                raise _taken(port, str(error.strerror), option) from error
        yield


def free_ports(count: int) -> list[int]:
    """Return ``count`` different loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for candidate in sockets:
            candidate.bind((LOOPBACK, 0))
        return [candidate.getsockname()[1] for candidate in sockets]
    finally:
        for candidate in sockets:
            candidate.close()


def _taken(port: int, reason: str, option: str) -> ServerStartError:
    return ServerStartError(f"port {port} cannot be used ({reason}); choose another with {option}, or 0 for a free one")
