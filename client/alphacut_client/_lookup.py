"""Where several servers are. gRPC follows one name by itself, but no list of them."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Mapping, Sequence

from alphacut_core.errors import UnavailableError

_AGAIN_S = 10.0


class Lookup:
    """Looks up the names of several servers, and again while calls are made, so that one that moved is found.

    Args:
        servers: As callers write them; of one alone gRPC takes care.

    Raises:
        UnavailableError: None of several names is known.
    """

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = servers
        self._looking = threading.Lock()
        self._held = False
        self._used = self._found = look_up(servers, {}) if len(servers) > 1 else {}
        self._next_at = time.monotonic() + _AGAIN_S if self._follows_names() else math.inf

    @property
    def target(self) -> str:
        """What gRPC calls the server or servers."""
        return grpc_target(self._servers, self._used) if self._used else self._servers[0]

    def moved(self) -> bool:
        """Return whether ``target`` is another one than at the last call; look again, in a thread, where it is time."""
        if time.monotonic() >= self._next_at and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look, name="alphacut-lookup", daemon=True).start()
        if self._used is self._found:
            return False
        self._used, before = self._found, self._used
        return self._used != before

    def hold(self, longest_s: float) -> None:
        """Begin no look, and wait so long for the end of one: a forked child has its locks, but not its thread."""
        if self._looking.acquire(timeout=longest_s):
            self._held = True

    def release(self) -> None:
        """Look again when it is time."""
        if self._held:
            self._held = False
            self._looking.release()

    def _look(self) -> None:
        try:
            self._found = look_up(self._servers, self._found)
        finally:
            self._next_at = time.monotonic() + _AGAIN_S
            self._looking.release()

    def _follows_names(self) -> bool:
        if len(self._servers) == 1:
            return False
        return any(server not in self._used or self._used[server] not in server for server in self._servers)


def look_up(servers: Sequence[str], before: Mapping[str, str]) -> Mapping[str, str]:
    """Return the address in numbers of each server.

    Args:
        servers: Host and port of each.
        before: What was found the last time. A server stays where it was for as long as its name stands for that
            address too, and where its name is not known any more.

    Raises:
        UnavailableError: None of the names is known, or was before.
    """
    found: dict[str, str] = {}
    unknown: Exception | None = None
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            known = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # one that is down may have lost its name; the others serve
            unknown = error
            if server in before:
                found[server] = before[server]
        else:  # of the older kind where there are both
            addresses = [str(info[4][0]) for info in sorted(known, key=lambda info: info[0] != socket.AF_INET)]
            found[server] = before[server] if before.get(server) in addresses else addresses[0]
    if not found:
        raise UnavailableError(
            f"found none of the names in {', '.join(servers)} ({unknown}); check them, or come back when they are known"
        ) from unknown
    return found


def grpc_target(servers: Sequence[str], addresses: Mapping[str, str]) -> str:
    """Return gRPC's name of several servers, those left out that have no address."""
    found = [(addresses[server], server.rpartition(":")[2]) for server in servers if server in addresses]
    if all(":" not in address for address, _ in found):
        return "ipv4:" + ",".join(f"{address}:{port}" for address, port in found)
    # A target is of one kind; addresses of the older one have a name in the newer.
    sixes = ((address if ":" in address else f"::ffff:{address}", port) for address, port in found)
    return "ipv6:" + ",".join(f"[{address}]:{port}" for address, port in sixes)
