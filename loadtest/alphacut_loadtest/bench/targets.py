"""What this project aims at, as ratios of one run, and how far the run at hand is from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from alphacut_loadtest.bench import size_cost
from alphacut_loadtest.bench.memory import Footprint
from alphacut_loadtest.bench.pictures import Picture
from alphacut_loadtest.bench.summary import Measurement, Ratio, Spread, ratios

NOT_MEASURED = "not measured"
GROWTH, NO_GROWTH = "growth of server and stubs over 5,000 images", "none that can be told from zero"
START = "cold start to the first answer"
MAX_SERVER_BYTES, MAX_START_S, MAX_SIZE_COST = 700e6, 4.0, 1.6
FULL, SMALL = "u2net", "u2netp"
"""Architectures, as recipes name them."""

_MASKS, _CUTOUTS = ("mask-encoded", "mask-fast"), ("cutout-client", "cutout-server-png")
_RUN = {FULL: "make bench-u2net", SMALL: "make bench"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the account.

    Attributes:
        target: What is aimed at.
        wanted: The bound.
        contender: Who is measured by it; empty where nobody was.
        measured: The figure, or why there is none.
        met: Whether it is within the bound; None where nothing was measured.
    """

    target: str
    wanted: str
    contender: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class _Aim:
    """A ratio to reach, with ``network`` if it speaks of one only; ``bf16`` is its bound without INT8."""

    target: str
    figure: Literal["throughput", "p50", "p99"]
    contenders: tuple[str, ...]
    baseline: str
    concurrency: int
    least: float
    network: str | None = None
    bf16: float | None = None


_AIMS = (
    _Aim("masks a second, full U²-Net, against rembg", "throughput", _MASKS, "rembg-mask", 16, 9.5, FULL, 7.0),
    _Aim("masks a second, u2netp, against rembg", "throughput", _MASKS, "rembg-mask", 16, 7.0, SMALL),
    _Aim("cut-outs a second, full U²-Net, against rembg", "throughput", _CUTOUTS, "rembg-cutout", 16, 8.0, FULL),
    _Aim("median latency of a mask against rembg", "p50", _MASKS, "rembg-mask", 1, 4.0),
    _Aim("masks a second against the bare engine with decode", "throughput", _MASKS, "engine-decode", 16, 0.85),
    _Aim("masks a second against rembg s", "throughput", _MASKS, "rembg-http-mask", 16, 8.0),
    _Aim("99th percentile of a mask against rembg s", "p99", _MASKS, "rembg-http-mask", 16, 8.0),
    _Aim("cut-outs a second against rembg s", "throughput", _CUTOUTS, "rembg-http-cutout", 16, 8.0),
    _Aim("99th percentile of a cut-out against rembg s", "p99", _CUTOUTS, "rembg-http-cutout", 16, 8.0),
)


def outcomes(
    architecture: str,
    precision: str,
    measurements: Sequence[Measurement],
    pictures: Sequence[Picture],
    footprints: Sequence[Footprint],
) -> list[Outcome]:
    """Hold a run against every target.

    Args:
        architecture: Of the network that was served: ``u2net``, ``u2netp``, or another that no target speaks of.
        precision: What the engine computes in.
        measurements: All turns.
        pictures: What everybody got.
        footprints: Memory that was watched.

    Returns:
        At least one line a target, in a fixed order; one for each contender where several were measured.
    """
    known = {(one.contender, one.baseline, one.concurrency): one for one in ratios(measurements)}
    found = [line for aim in _AIMS for line in _rated(aim, architecture, precision, known)]
    found += _memory(architecture, footprints)
    found += _sizes(measurements, pictures)
    found.append(_elsewhere(GROWTH, NO_GROWTH, "make bench-soak"))
    found.append(_elsewhere(START, f"<= {MAX_START_S:g} s", "make bench-start"))
    return found


def _rated(aim: _Aim, architecture: str, precision: str, known: dict[tuple[str, str, int], Ratio]) -> Iterator[Outcome]:
    least = aim.bf16 if aim.bf16 is not None and precision != "int8" else aim.least
    wanted = f">= {least:g}x" + ("" if aim.concurrency > 1 else ", one caller")
    if aim.network not in (None, architecture):
        yield _elsewhere(aim.target, wanted, _RUN[str(aim.network)])
        return
    rated = [(name, known[key]) for name in aim.contenders if (key := (name, aim.baseline, aim.concurrency)) in known]
    if not rated:
        yield _missing(aim.target, wanted, f"needs {aim.baseline} with {aim.concurrency} callers")
    for name, ratio in rated:
        spread: Spread = getattr(ratio, aim.figure)
        yield Outcome(aim.target, wanted, name, times(spread), spread.median >= least)


def _memory(architecture: str, footprints: Sequence[Footprint]) -> Iterator[Outcome]:
    target, wanted = "peak memory of server and stubs, u2netp, PSS", f"<= {MAX_SERVER_BYTES / 1e6:.0f} MB"
    watched = [one for one in footprints if one.server.pss_bytes]
    if architecture != SMALL:
        yield _elsewhere(target, wanted, _RUN[SMALL])
    elif not watched:
        yield _missing(target, wanted, "needs a contender of Alphacut's whose memory is watched")
    else:
        for one in watched:
            shown = f"{one.server.pss_bytes / 1e6:.0f} MB (RSS {one.server.rss_bytes / 1e6:.0f} MB)"
            yield Outcome(target, wanted, one.contender, shown, one.server.pss_bytes <= MAX_SERVER_BYTES)


def _sizes(measurements: Sequence[Measurement], pictures: Sequence[Picture]) -> Iterator[Outcome]:
    target, wanted = "latency of a mask of four times the pixels", f"<= {MAX_SIZE_COST:g}x, one caller"
    costs = [(name, spread) for name in _MASKS if (spread := size_cost.cost(measurements, pictures, name))]
    if not costs:
        yield _missing(target, wanted, "needs a picture in two sizes")
    for name, spread in costs:
        yield Outcome(target, wanted, name, times(spread), spread.median <= MAX_SIZE_COST)


def times(spread: Spread) -> str:
    """Return a ratio as text, with its lowest and highest."""
    return f"{spread.median:.2f}x ({spread.low:.2f} to {spread.high:.2f})"


def _elsewhere(target: str, wanted: str, command: str) -> Outcome:
    return Outcome(target, wanted, "", f"{NOT_MEASURED} here; {command} does", None)


def _missing(target: str, wanted: str, reason: str) -> Outcome:
    return Outcome(target, wanted, "", f"{NOT_MEASURED}: {reason}", None)
