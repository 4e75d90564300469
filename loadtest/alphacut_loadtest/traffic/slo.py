"""What a service promises, and how it is written: ``p95=300ms,errors=0.1%``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from alphacut_core.errors import InvalidOptionError

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_NUMBER = r"(\d+(?:\.\d+)?(?:e[+-]\d{2})?)"  # with the exponent by which :g writes what is very small or large
_DURATION = re.compile(rf"{_NUMBER}\s*(us|ms|s|min)")
_SHARE = re.compile(rf"{_NUMBER}\s*%")
_LATENCY = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Slo:
    """Bounds on what callers see.

    Attributes:
        latency_s: Percentile to its bound in seconds, over the requests that were answered as they should be.
        errors: Largest share of requests, 0 to 1, that may fail.
        refusals: Largest share that may be turned away for lack of room; None counts those as errors.
        refused_p95_s: Bound on the 95th percentile of the time that being turned away takes.
        recovery_s: After the peak of a scenario the other bounds hold again so soon.
    """

    latency_s: tuple[tuple[float, float], ...]
    errors: float = 0.001
    refusals: float | None = None
    refused_p95_s: float | None = None
    recovery_s: float | None = None

    @property
    def percents(self) -> tuple[float, ...]:
        """The percentiles that are bounded."""
        return tuple(percent for percent, _ in self.latency_s)

    @property
    def strictest(self) -> tuple[float, float]:
        """The highest percentile that is bounded, and its bound in seconds."""
        return max(self.latency_s)

    def __str__(self) -> str:
        parts = [f"p{percent:g}={duration(bound_s)}" for percent, bound_s in self.latency_s]
        parts.append(f"errors={100 * self.errors:g}%")
        if self.refusals is not None:
            parts.append(f"refusals={100 * self.refusals:g}%")
        if self.refused_p95_s is not None:
            parts.append(f"refused_p95={duration(self.refused_p95_s)}")
        if self.recovery_s is not None:
            parts.append(f"recovery={duration(self.recovery_s)}")
        return ",".join(parts)


def duration(seconds: float) -> str:
    """Write seconds as they are read: ``300ms``, ``2s``."""
    return f"{1000 * seconds:g}ms" if seconds < 1 else f"{seconds:g}s"


def rounded(seconds: float) -> str:
    """Write seconds that were measured, to three digits; infinite ones, of which nothing was measured, as unknown."""
    return duration(float(f"{seconds:.3g}")) if math.isfinite(seconds) else "unknown"


def parse(text: str) -> Slo:
    """Read what ``str(slo)`` writes.

    Raises:
        InvalidOptionError: Something in it is unknown or said twice, or no latency is bounded.
    """
    latency_s: dict[float, float] = {}
    named: dict[str, float] = {}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        name, _, value = (piece.strip() for piece in part.partition("="))
        percentile = _LATENCY.fullmatch(name)
        if percentile and float(percentile[1]) < 100:  # which many nines round to
            latency_s[float(percentile[1])] = _seconds(part, value)
        elif name in ("refused_p95", "recovery"):
            named[f"{name}_s"] = _seconds(part, value)
        elif name in ("errors", "refusals"):
            named[name] = _share(part, value)
        else:
            raise InvalidOptionError(
                f"got {part!r} in an SLO; allowed are p50, p95, p99 and the like, errors, refusals, refused_p95 and "
                "recovery, as in p95=300ms,errors=0.1%"
            )
    if not latency_s:
        raise InvalidOptionError(f"got the SLO {text!r}, which bounds no latency; give one such as p95=300ms")
    if len(latency_s) + len(named) < len(parts):
        raise InvalidOptionError(f"got the SLO {text!r}, which bounds something twice; give each bound once")
    return Slo(tuple(sorted(latency_s.items())), **named)


def _seconds(part: str, value: str) -> float:
    found = _DURATION.fullmatch(value)
    if not found or float(found[1]) == 0:
        raise InvalidOptionError(f"got {part!r} in an SLO; give a time above 0 in us, ms, s or min, as in p95=300ms")
    return float(found[1]) * _UNITS_S[found[2]]


def _share(part: str, value: str) -> float:
    found = _SHARE.fullmatch(value)
    if not found or float(found[1]) > 100:
        raise InvalidOptionError(f"got {part!r} in an SLO; give 0% to 100%, as in errors=0.1%")
    return float(found[1]) / 100
