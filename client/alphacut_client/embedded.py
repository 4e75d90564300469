"""An embedded server for as long as a block runs."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from weakref import WeakSet

from alphacut_client.client import Client
from alphacut_core.errors import InvalidOptionError, ServerStartError
from alphacut_core.tiers import Mode

_READY = "gRPC "
_METRICS = "metrics "
_METRICS_TIMEOUT_S = 10.0
_ERROR = "error: "
_STOP_TIMEOUT_S = 20.0
_ABORT_TIMEOUT_S = 3.0  # one that still starts has nothing to lose, and may be deep in an installation
_READER_TIMEOUT_S = 1.0
_LOG_LINES = 200


class EmbeddedServer:
    """A Triton of one's own on a free port of this machine: started on entering, gone on leaving, as often as entered.

    The server process is ``python -m alphacut_server serve``; it ends by itself when this process ends, however
    that happens. The first start on a machine makes the server's environment and may take minutes.

    Args:
        repository: Model repository to serve; None for the installation's own.
        models: Networks to serve; none given means all that are built.
        tiers: Tiers to serve; none given means all that are built. Fewer start sooner and take less memory.
        start_timeout_s: How long to wait for the first answer.

    Attributes:
        url: Host and port of the gRPC endpoint, once entered.
        pid: The server process, once entered.

    Raises:
        ServerStartError: On entering: the server gave up, with its reason, or took too long.

    Example:
        >>> with EmbeddedServer() as server, Client(server.url) as client:
        ...     png = client.remove("photo.jpg")
    """

    url: str
    pid: int

    def __init__(
        self,
        repository: Path | str | None = None,
        *,
        models: Sequence[str] = (),
        tiers: Sequence[Mode] = (),
        start_timeout_s: float = 900.0,
    ) -> None:
        self._repository = repository
        self._models = tuple(models)
        self._tiers = tuple(tiers)
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[str]
        self._forget()

    def _forget(self) -> None:
        """Leave what an earlier block's server said and was."""
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._starting = True
        self._told: queue.Queue[str | None] = queue.Queue()
        self._metrics_url: str | None = None
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> EmbeddedServer:
        self._forget()
        # A session of its own: Ctrl-C reaches this process alone, which then ends the server in good order.
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.pid = self._process.pid
        _STARTED.add(self)
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self._stop()
            raise
        self._starting = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def log(self) -> str:
        """The last lines that the server logged."""
        return "\n".join(self._log)

    @property
    def metrics_url(self) -> str:
        """Address of Triton's Prometheus page, which the server prints right after the first.

        Raises:
            ServerStartError: It has ended, or prints none.
        """
        while self._metrics_url is None:
            try:
                line = self._told.get(timeout=_METRICS_TIMEOUT_S)
            except queue.Empty:
                line = None
            if line is None:
                raise ServerStartError(f"the embedded server named no address of metrics; its last words:\n{self.log}")
            if line.startswith(_METRICS):
                self._metrics_url = line.removeprefix(_METRICS).strip()
        return self._metrics_url

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "alphacut_server", "serve", "--until-stdin-closes"]
        if self._repository is not None:
            command += ["--repository", str(self._repository)]
        for option, names in (("--model", self._models), ("--tier", self._tiers)):
            command += [word for name in names for word in (option, name)]
        return command

    def _wait_for_url(self) -> str:
        told = self._told
        self._read(self._process.stdout, told.put, at_end=lambda: told.put(None))
        self._read(self._process.stderr, self._keep, at_end=lambda: None)
        try:
            while (line := told.get(timeout=self._start_timeout_s)) is not None:
                if line.startswith(_READY):
                    return line.removeprefix(_READY).strip()
        except queue.Empty:
            raise ServerStartError(
                f"the embedded server gave no answer within {self._start_timeout_s:g} s; its last words:\n{self.log}"
            ) from None
        raise ServerStartError(self._last_words(self._stop()))

    def _read(self, stream: IO[str] | None, keep: Callable[[str], None], at_end: Callable[[], None]) -> None:
        """Read a pipe to its end in a thread, so that the server never blocks on a full one."""

        def read() -> None:
            if stream is None:
                return
            with stream:
                for line in stream:
                    keep(line.rstrip("\n"))
            at_end()

        thread = threading.Thread(target=read, name="alphacut-server-output", daemon=True)
        thread.start()
        self._readers.append(thread)

    def _keep(self, line: str) -> None:
        self._log.append(line)
        # Somebody who waits for the first start wants to see it move; later the terminal belongs to others.
        if self._starting and sys.stderr.isatty():
            sys.stderr.write(line + "\n")

    def _last_words(self, status: int) -> str:
        lines = list(self._log)
        errors = [number for number, line in enumerate(lines) if line.startswith(_ERROR)]
        if errors:
            return "\n".join(lines[errors[-1] :]).removeprefix(_ERROR)
        return f"the embedded server ended with status {status} before it answered; its last words:\n{self.log}"

    def _let_go(self) -> None:
        """Close this process's end of the pipe; the server ends when nobody holds one any more."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _stop(self) -> int:
        """End the server by closing its input, by force if it does not listen; return its exit status."""
        process = self._process
        self._let_go()
        try:
            status = process.wait(_ABORT_TIMEOUT_S if self._starting else _STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # The whole session, so that an installer that the server had started goes with it.
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        for reader in self._readers:
            reader.join(_READER_TIMEOUT_S)
        return status


_STARTED: WeakSet[EmbeddedServer] = WeakSet()


def _let_go_of_all() -> None:
    """Leave the servers to the parent: a forked child, as of a pool of processes, would keep them alive."""
    for server in list(_STARTED):
        server._let_go()


os.register_at_fork(after_in_child=_let_go_of_all)


@contextmanager
def connected(url: str | None, model: str, mode: Mode, **settings: Any) -> Iterator[Client]:
    """Connect to a server, or to an embedded one of one's own if ``url`` is None.

    Args:
        url: Host and port, or None.
        model: The only network that one of one's own serves.
        mode: Its only tier.
        **settings: What ``Client`` takes beyond its address.

    Raises:
        InvalidOptionError: An address or a setting that is not allowed.
    """
    with ExitStack() as stack:
        address = url or stack.enter_context(EmbeddedServer(models=[model], tiers=[mode])).url
        try:
            client = Client(address, **settings)
        except ValueError as error:  # who types a command gets the message alone
            raise InvalidOptionError(str(error)) from error
        yield stack.enter_context(client)
