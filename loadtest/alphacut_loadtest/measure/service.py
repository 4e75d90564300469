"""What is under load: an address, or servers of one's own for as long as a block runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import psutil

from alphacut_client import Client, EmbeddedServer
from alphacut_core.errors import AlphacutError, ServerStartError
from alphacut_core.tiers import DEFAULT_MODEL, Mode
from alphacut_loadtest.measure import stub
from alphacut_loadtest.measure.stages import stage_of
from alphacut_loadtest.traffic.scenario import Protocol

_STOP_TIMEOUT_S = 30.0
_LAST_LINES = 12


Log = Callable[[], str]
"""Returns what a process said last."""


class ServiceEndedError(AlphacutError):
    """What was started for a measurement ended before it did."""

    code = "service-ended"


@dataclass(frozen=True, slots=True)
class Service:
    """Where requests go.

    Attributes:
        url: ``grpc://HOST:PORT`` or ``http://HOST:PORT``.
        metrics_url: Triton's Prometheus page; None where it is not known.
        roots: Processes on this machine that belong to it, with all their descendants, by number with their logs; none
            for a remote one.
    """

    url: str
    metrics_url: str | None
    roots: Mapping[int, Log] = field(default_factory=dict)

    @classmethod
    def of(cls, server: EmbeddedServer) -> Service:
        """Return an embedded server that has been entered."""
        return cls(f"grpc://{server.url}", server.metrics_url, {server.pid: lambda: server.log})

    def cpu_s(self) -> dict[str, float]:
        """Return processor seconds spent so far by ``decode``, ``engine``, ``encode``, ``triton`` and ``gateway``.

        Raises:
            ServiceEndedError: One of the roots has ended.
        """
        spent: dict[str, float] = {}
        for process in self._processes():
            try:
                name, times = _part(process), process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # restarted in this moment
            spent[name] = spent.get(name, 0.0) + times.user + times.system
        return spent

    def cpu_since_s(self, before_s: Mapping[str, float]) -> dict[str, float]:
        """Return processor seconds spent since ``cpu_s`` returned ``before_s``, by the same parts."""
        return {part: seconds - before_s.get(part, 0.0) for part, seconds in self.cpu_s().items()}

    def check_running(self) -> None:
        """Check that what was started is still there.

        Raises:
            ServiceEndedError: One of the roots has ended; with its last words.
        """
        self._processes()

    def _processes(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for pid, log in self.roots.items():
            try:
                root = psutil.Process(pid)
                if root.status() == psutil.STATUS_ZOMBIE:  # ended, and nobody has asked after it yet
                    raise psutil.ZombieProcess(pid)
                found += [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess as error:
                raise ServiceEndedError(
                    f"the server that was started for this measurement, process {pid}, ended in the middle of it; see "
                    "what ended it (the kernel's log tells of too little memory), and measure again; its last words:\n"
                    + "\n".join(log().splitlines()[-_LAST_LINES:])
                ) from error
        return found


@contextmanager
def serving(
    url: str | None, metrics_url: str | None, protocol: Protocol, gateway: Mapping[str, str], modes: Sequence[Mode]
) -> Iterator[Service]:
    """Use the service at ``url``, or start the embedded server, and a gateway before it where one is wanted.

    Args:
        url: Address; without a scheme it is Triton's. None starts servers.
        metrics_url: Triton's Prometheus page, for an address of one's own.
        protocol: Which front to start.
        gateway: Its settings, by name.
        modes: Tiers that will be asked for; others are not started, and take nothing from these.

    Raises:
        ServerStartError: One of them does not come up, or a tier is not built.
    """
    if url is not None:
        yield Service(url if "://" in url else f"grpc://{url}", metrics_url)
        return
    with ExitStack() as stack:
        triton = stack.enter_context(EmbeddedServer(models=[DEFAULT_MODEL], tiers=modes))
        check_served(triton.url, modes)
        service = Service.of(triton)
        if protocol == "gateway":
            address, pid, log = stack.enter_context(_gateway(triton.url, gateway))
            service = replace(service, url=address, roots={**service.roots, pid: log})
        yield service


def check_served(url: str, modes: Sequence[Mode]) -> None:
    """Check that a server has the tiers that will be asked for.

    Raises:
        ServerStartError: One of them is not built.
    """
    with Client(url) as client:
        served = [one.mode for one in client.models()]
    if missing := [mode for mode in modes if mode not in served]:
        raise ServerStartError(
            f"the scenario asks for the tier {missing[0]!r}, and built are {', '.join(served)}; "
            "run: alphacut build --tier all"
        )


@contextmanager
def _gateway(triton_url: str, settings: Mapping[str, str]) -> Iterator[tuple[str, int, Log]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "alphacut_client", "gateway", "--url", triton_url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **{f"ALPHACUT_GATEWAY_{name.upper()}": value for name, value in settings.items()}},
        start_new_session=True,
    )
    said: deque[str] = deque(maxlen=_LAST_LINES)
    listener = threading.Thread(target=said.extend, args=(process.stderr or (),), name="gateway's log", daemon=True)
    listener.start()
    try:
        words = process.stdout.readline().split() if process.stdout else []
        if len(words) != 2:
            listener.join(_STOP_TIMEOUT_S)
            raise ServerStartError(f"the gateway did not come up; its last words:\n{''.join(said)}")
        yield words[1], process.pid, lambda: "".join(said)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join(_STOP_TIMEOUT_S)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def _part(process: psutil.Process) -> str:
    if model := stub.model_of(process):
        return stage_of(model) or "triton"
    return "gateway" if "gateway" in process.cmdline() else "triton"
