"""This machine's own addresses, and how to speak to them without a proxy between."""

from __future__ import annotations

import ipaddress

_NAMES = frozenset({"localhost", "ip6-localhost"})

NO_PROXY = ("grpc.enable_http_proxy", 0)
"""gRPC's option for channels that take no notice of ``http_proxy``: without it even loopback is asked of the proxy."""


def is_loopback(host: str) -> bool:
    """Return whether a host can only be this machine.

    Args:
        host: A name or an address in numbers, without port and brackets.
    """
    if host in _NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
