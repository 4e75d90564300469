"""A TCP proxy that does to connections what networks do: cut, freeze, slow down."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

_CHUNK_BYTES = 64 * 1024


class _Way:
    """One direction of one connection."""

    def __init__(self, source: socket.socket, target: socket.socket, proxy: FaultyProxy, asking: bool) -> None:
        self._asking = asking
        self._source = source
        self._target = target
        self._proxy = proxy
        self.thread = threading.Thread(target=self._pump, daemon=True)

    def _pump(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._source.recv(_CHUNK_BYTES):
                self._proxy.wait_until_flowing(self._source)
                if self._proxy.bytes_per_s is not None:
                    time.sleep(len(data) / self._proxy.bytes_per_s)  # the fault itself, not a synchronisation
                if self._proxy.watch is not None:
                    self._proxy.watch(data, self._asking)
                self._target.sendall(data)
        for end in (self._source, self._target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class FaultyProxy:
    """Forwards a free port of this machine to a server, until told otherwise.

    Args:
        port: Where the server listens on loopback.

    Attributes:
        url: The proxy's own address.
        accepted: Connections taken so far.
        bytes_per_s: How fast each direction of each connection flows; None for as fast as it can.
        watch: Shown all that passes, and whether it goes to the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        self.bytes_per_s: float | None = None
        self.watch: Callable[[bytes, bool], None] | None = None
        self._changed = threading.Condition()
        self._frozen: set[socket.socket] = set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()

    def cut(self) -> None:
        """End all connections in the middle of whatever they carry."""
        with self._changed:
            ends, self._open = self._open, []
            self._frozen.clear()
            self._changed.notify_all()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def freeze(self) -> None:
        """Let the present connections stand still, open and silent; new ones are well."""
        with self._changed:
            self._frozen.update(self._open)

    def thaw(self) -> None:
        """Let frozen connections go on where they stood."""
        with self._changed:
            self._frozen.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Cut everything and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(20)

    def wait_until_flowing(self, source: socket.socket) -> None:
        """Stand still while a connection is frozen."""
        with self._changed:
            self._changed.wait_for(lambda: source not in self._frozen)

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                outer = socket.create_connection(("127.0.0.1", self._port))
            except OSError:  # the server is away: the caller sees a closed connection
                inner.close()
                continue
            with self._changed:
                self._open += [inner, outer]
            for source, target in ((inner, outer), (outer, inner)):
                self._threads.append(_Way(source, target, self, asking=source is inner).thread)
                self._threads[-1].start()
