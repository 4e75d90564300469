"""Where the time of a cold start goes, by Triton's log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r"^[IWE]\d{4} \d\d:(\d\d):(\d\d\.\d+) \d+ \S+\] \"(.*)$", re.MULTILINE)
_LOADING = re.compile(r"loading: ([^:]+):\d+")
_LOADED = re.compile(r"successfully loaded '([^']+)'")
_LISTENS = "Started GRPCInferenceService"
_ZONE_S = 900.0
"""Zones of time differ by whole quarters of an hour, so within one the log's own zone does not matter."""


@dataclass(frozen=True, slots=True)
class TritonStart:
    """What Triton logged of its start, in seconds since some moment.

    Attributes:
        loads_s: When it began with the first model.
        models_s: When each model was ready.
        listens_s: When it took requests.
    """

    loads_s: float
    models_s: Mapping[str, float]
    listens_s: float


def read(log: str, began: float) -> TritonStart:
    """Read the first start that a log tells of.

    Args:
        log: Its text.
        began: The moment to count from, in seconds since 1970; less than a quarter of an hour before the log's end.

    Raises:
        ValueError: The log does not tell of a whole start.
    """
    loads_s: float | None = None
    models_s: dict[str, float] = {}
    for minute, second, said in _LINE.findall(log):
        since_s = (60 * int(minute) + float(second) - began) % _ZONE_S
        if _LOADING.match(said):
            loads_s = since_s if loads_s is None else loads_s
        elif loaded := _LOADED.match(said):
            models_s[loaded[1]] = since_s
        elif said.startswith(_LISTENS) and loads_s is not None:
            return TritonStart(loads_s, models_s, since_s)
    raise ValueError("Triton's log tells of no start that came to its end")
