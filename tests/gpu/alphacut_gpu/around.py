"""The whole way around an engine that takes no time: what a machine's processors allow, whatever its GPU does."""

from __future__ import annotations

import os
from typing import Any

from alphacut_client import EmbeddedServer
from alphacut_core.tiers import DEFAULT_MODEL
from alphacut_gpu import server_environment, staging
from alphacut_gpu.place import Place
from alphacut_gpu.traffic import FAST, MIX, PIXELS, Traffic
from alphacut_loadtest.measure.service import Service

WAYS = {"files": MIX, "files, fast decoding": FAST, "squares of pixels": PIXELS}
_CALLERS_PER_CORE = 4


def measure(place: Place) -> None:
    """Serve nothing, and send as much as goes."""
    server_environment.ensure(place)
    repository = staging.nothing(place.work / "around")
    callers = _CALLERS_PER_CORE * len(os.sched_getaffinity(0))
    found: dict[str, Any] = {"callers": callers, "cores": len(os.sched_getaffinity(0)), "ways": {}}
    with EmbeddedServer(repository, models=[DEFAULT_MODEL], tiers=["full"], start_timeout_s=120) as server:
        service = Service.of(server)
        traffic = Traffic.to(service, place)
        for name, mix in WAYS.items():
            found["ways"][name] = traffic.closed(callers, mix)
            place.keep("around", found)
