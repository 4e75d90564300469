"""Where a result comes from: machine, commit, versions, engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from alphacut_core import installed
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.bench import machine
from alphacut_loadtest.bench.machine import Commit, Machine

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result stands on.

    Attributes:
        created: When, ISO 8601 in UTC.
        machine: On what.
        commit: What of, if known.
        versions: Of what decides the speed on this side.
        engine: Network and precision that were served; empty where the server is somebody else's.
    """

    created: str
    machine: Machine
    commit: Commit | None
    versions: dict[str, str]
    engine: str


def here(repository: Path | None) -> Origin:
    """Describe this machine and checkout.

    Args:
        repository: Model repository that is served; None for a remote server's, which is not known.
    """
    names = ("alphacut", "locust", "gevent", "grpcio", "tritonclient", "numpy", "pillow")
    return Origin(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        machine=machine.here(),
        commit=machine.commit(CHECKOUT),
        versions={name: metadata.version(name) for name in names},
        engine=_engine(repository) if repository else "",
    )


def _engine(repository: Path) -> str:
    served = installed.find(repository, DEFAULT_PIPELINE.engine)
    return f"{served.manifest['model']} in {served.manifest['precision']}" if served else ""
