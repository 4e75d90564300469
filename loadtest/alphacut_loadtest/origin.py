"""Where a result comes from: machine, commit, versions, engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from alphacut_core import bundled, installed
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.bench import machine
from alphacut_loadtest.bench.machine import Commit, Machine


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result stands on.

    Attributes:
        created: When, ISO 8601 in UTC.
        machine: Which sent, and which served unless there is a ``url``.
        commit: What of, if known.
        versions: Of what decides the speed on this side.
        engine: Network and precision that were served; empty where the server is somebody else's.
        url: Of somebody else's server, on whatever machine; None for one's own.
    """

    created: str
    machine: Machine
    commit: Commit | None
    versions: dict[str, str]
    engine: str
    url: str | None = None

    @property
    def server(self) -> str:
        """What served, in words."""
        return server(self.url, self.machine.processor, self.machine.cores)

    @property
    def sender(self) -> str:
        """Where it was measured, in words."""
        return f"{'on' if self.url is None else 'sent from'} {server(None, self.machine.processor, self.machine.cores)}"


def server(url: str | None, processor: str, cores: int) -> str:
    """Name a server by its machine, or by its address if it is somebody else's, whose machine is not known."""
    return f"{cores} cores of {processor}" if url is None else f"the service at {url}"


def here(repository: Path | None, url: str | None = None) -> Origin:
    """Describe this machine and checkout.

    Args:
        repository: Model repository that is served; None for a remote server's, which is not known.
        url: Of that remote server.
    """
    names = ("alphacut", "locust", "gevent", "grpcio", "tritonclient", "numpy", "pillow")
    return Origin(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        machine=machine.here(),
        commit=machine.commit(bundled.CHECKOUT),
        versions={name: metadata.version(name) for name in names},
        engine=_engine(repository) if repository else "",
        url=url,
    )


def of_service(url: str | None) -> Origin:
    """Describe this machine and what is asked: somebody else's server, or without a ``url`` the embedded one's."""
    return here(bundled.repository() if url is None else None, url)


def _engine(repository: Path) -> str:
    served = installed.find(repository, DEFAULT_PIPELINE.engine)
    return f"{served.manifest['model']} in {served.manifest['precision']}" if served else ""
