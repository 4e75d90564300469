"""Which hosts may be called, and at which addresses they may be found."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from alphacut_gateway.refusals import AddressError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY = re.compile(
    r"(?P<wild>\*\.)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:@(?P<network>[0-9a-fA-F.:/]+))?"
)
_PORTS = {"http": 80, "https": 443}
_MAX_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an allow-list.

    Attributes:
        host: Name in lower case.
        wild: Whether names below it are meant instead.
        port: The port; None for the scheme's own.
        network: Where the host has to be found; None for public addresses only.
    """

    host: str
    wild: bool
    port: int | None
    network: Network | None

    def names(self, host: str, port: int, scheme: str) -> bool:
        """Say whether this entry is about a host and a port."""
        named = host.endswith(f".{self.host}") if self.wild else host == self.host
        return named and port == (self.port or _PORTS[scheme])

    def admits(self, address: Address) -> bool:
        """Say whether the host may be called at an address that its name was resolved to."""
        mapped = getattr(address, "ipv4_mapped", None)
        found: Address = mapped or address
        if self.network is not None:
            return found in self.network
        if isinstance(found, ipaddress.IPv6Address) and (found not in _ASSIGNED or found.sixtofour):
            return False
        return found.is_global and not found.is_multicast


# Python calls global whatever it does not know to be private: site-local addresses, and those of NAT64 and its
# forerunners, which carry an IPv4 address that may be anything, as 6to4's among the assigned ones do.
_ASSIGNED = ipaddress.ip_network("2000::/3")


class Allowed:
    """An allow-list.

    Args:
        entries: ``host``, ``*.host``, ``host:port``, each for public addresses, or with ``@network`` for addresses
            in that network: ``hooks.internal:8080@10.0.0.0/8``.

    Raises:
        ValueError: One of them is something else.
    """

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._entries = tuple(_entry(text) for text in entries)

    @property
    def nothing(self) -> bool:
        """Whether the list is empty."""
        return not self._entries

    def check(self, url: str) -> tuple[SplitResult, Entry]:
        """Return an address taken apart, and the entry that allows it.

        Raises:
            AddressError: It is malformed, or no entry allows it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressError(
                f"got the address {url[:60]!r}, which cannot be read ({error})", malformed=True
            ) from error
        if parts.scheme not in _PORTS or not parts.hostname or not _clean(url):
            raise AddressError(f"got the address {url[:60]!r}; give one of http or https", malformed=True)
        if parts.username is not None or parts.password is not None:
            raise AddressError("got an address with a user name or password in it; leave them out", malformed=True)
        host = parts.hostname.lower().rstrip(".")
        for entry in self._entries:
            if entry.names(host, port or _PORTS[parts.scheme], parts.scheme):
                return parts, entry
        raise AddressError(f"got an address at {host[:60]!r}, which is not on this gateway's list")


def _entry(text: str) -> Entry:
    found = _ENTRY.fullmatch(text)
    if found is None:
        raise ValueError(f"got the host {text!r}; give HOST, *.HOST, HOST:PORT, or one of them with @NETWORK")
    network = ipaddress.ip_network(found["network"]) if found["network"] else None
    port = int(found["port"]) if found["port"] else None
    return Entry(found["host"].lower(), bool(found["wild"]), port, network)


def _clean(url: str) -> bool:
    return len(url) <= _MAX_LENGTH and url.isascii() and url.isprintable() and " " not in url and "\\" not in url
