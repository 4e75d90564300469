"""Addresses as callers write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from alphacut_core.loopback import is_loopback

_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:")
"""gRPC's own kinds of address, which it reads itself."""

_HOST_AND_PORT = re.compile(r"([^][:/,@\s]+|\[[0-9A-Fa-f:.]+(%[^][:/,@\s]+)?\]):(?P<port>[0-9]{1,5})", re.ASCII)
_MAX_PORT = 65_535


def endpoints(url: str | Sequence[str]) -> tuple[str, ...]:
    """Return the addresses one by one.

    Raises:
        ValueError: There is none, or one is neither host and port nor, where it is alone, an address of gRPC's own.
    """
    servers = (url,) if isinstance(url, str) else tuple(url)
    if not servers:
        raise ValueError(f"got url={url!r}; give host and port, such as '127.0.0.1:8001', or a list of them")
    for server in servers:
        if not (_is_host_and_port(server) or (len(servers) == 1 and server.startswith(_SCHEMES))):
            raise ValueError(
                f"got url={server!r}; give host and port, such as '127.0.0.1:8001' or '[::1]:8001', a list of "
                "them, or for all servers behind one name 'dns:///name:8001'"
            )
    return servers


def is_local(server: str) -> bool:
    """Return whether a server can only be on this machine."""
    if server.startswith("unix:"):
        return True
    return is_loopback(server.removeprefix("dns:").lstrip("/").rpartition(":")[0].strip("[]"))


def _is_host_and_port(server: str) -> bool:
    parts = _HOST_AND_PORT.fullmatch(server)
    return parts is not None and int(parts["port"]) <= _MAX_PORT
