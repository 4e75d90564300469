"""Addresses: what callers write, and what gRPC wants."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost"})
_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "xds:")


def endpoints(url: str | Sequence[str]) -> tuple[str, ...]:
    """Return the addresses one by one.

    Raises:
        ValueError: There is none, or one of several is more than host and port.
    """
    servers = (url,) if isinstance(url, str) else tuple(url)
    if not servers or not all(servers):
        raise ValueError(f"got url={url!r}; give host and port, such as '127.0.0.1:8001', or a list of them")
    for server in servers:
        if len(servers) > 1 and (server.startswith(_SCHEMES) or not server.rpartition(":")[2].isdigit()):
            raise ValueError(f"got {server!r} among several addresses; give each as host:port")
    return servers


def check_secrets(servers: Sequence[str]) -> None:
    """Refuse to show secrets to a network.

    Raises:
        ValueError: A server that is, or may be, another machine.
    """
    for server in servers:
        if not _is_loopback(server):
            raise ValueError(
                f"got a token or API key for {server}, which everybody on the way could read; give tls=True or "
                "tls=Tls(...), or plaintext_secrets=True where the way itself is encrypted"
            )


def grpc_target(servers: Sequence[str]) -> str:
    """Return gRPC's name of one server or of several; the names of several are looked up now.

    Raises:
        OSError: None of the names of several servers is known.
    """
    if len(servers) == 1:
        return servers[0]
    found: list[str] = []
    unknown: OSError | None = None
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            found.append(_numeric(host.strip("[]"), int(port)))
        except OSError as error:  # one that is down may have lost its name; the others serve
            unknown = error
    if not found and unknown is not None:
        raise unknown
    family = "ipv6" if any(address.startswith("[") for address in found) else "ipv4"
    same = [address for address in found if address.startswith("[") == (family == "ipv6")]
    return f"{family}:{','.join(same)}"


def _numeric(host: str, port: int) -> str:
    """Return host and port in numbers, of the older kind where there are both."""
    known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    address = min(known, key=lambda info: info[0] != socket.AF_INET)[4][0]
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


def _is_loopback(server: str) -> bool:
    if server.startswith("unix:"):
        return True
    host = server.removeprefix("dns:").lstrip("/").rpartition(":")[0].strip("[]")
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
