"""Which stage of the way from file to mask allows the least: from what was found, with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Found = Mapping[str, Mapping[str, Any]]
"""Section to what it found."""

ENGINE_BATCH = 16
"""Triton's largest for an engine; the report needs no library, so it is not asked of the builder."""

_WAYS = {"files": None, "files, fast decoding": "fast decoding", "squares of pixels": "squares of pixels"}
"""What is sent, as ``around`` calls it, and as ``serving`` calls it among its settings."""

_USED_UP = 0.7


@dataclass(frozen=True, slots=True)
class Limit:
    """What one stage would allow if nothing else took time.

    Attributes:
        stage: Whose it is.
        images_per_s: So much.
        arithmetic: How that number comes about.
        reached: The part of it that was seen; more than 1 where the pictures or the machine's mood were others.
    """

    stage: str
    images_per_s: float
    arithmetic: str
    reached: float


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The verdict on one way of sending.

    Attributes:
        way: What was sent.
        seen_per_s: Images a second that the callers got.
        limits: Of all stages that something is known of, the nearest first.
        sentence: Which one it is.
    """

    way: str
    seen_per_s: float
    limits: tuple[Limit, ...]
    sentence: str


def find(found: Found) -> list[Bottleneck]:
    """Return the verdict on each way that was served on a GPU; none where nothing was."""
    serving = found.get("serving", {})
    if not serving.get("on_gpu"):
        return []
    return [_verdict(way, seen, callers, found) for way, (seen, callers) in _seen(serving).items()]


def engine_per_s(found: Found) -> float | None:
    """Return how many images a second the engine that was served makes alone, in batches that Triton forms."""
    serving = found.get("serving", {})
    network, precision = serving.get("network"), serving.get("precision")
    runtime = str(serving.get("runtime", ""))
    of_torch = found.get("torch_yardstick", {}).get("networks", {}).get(network, {})
    if runtime.startswith("PyTorch, compiled"):
        ones = [found.get("torch_compiled", {})]
    elif runtime.startswith("PyTorch"):
        ones = [of_torch]
    else:
        engines = found.get("tensorrt_rtx", {}).get("engines", ())
        ones = [one for one in engines if (one["network"], one["precision"]) == (network, precision)]
    rates = (
        measured["images_per_s"]
        for one in ones
        for rows, measured in one.get("batches", {}).items()
        if int(rows) <= ENGINE_BATCH
    )
    return max(rates, default=None)


def _seen(serving: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], str]]:
    """Return the best run of each way, and how many callers that was."""
    seen: dict[str, tuple[Mapping[str, Any], str]] = {}
    if callers := serving.get("callers"):
        number = max(callers, key=lambda name: callers[name]["images_per_s"])
        seen["files"] = callers[number], number
        for way, setting in _WAYS.items():
            one = serving.get("settings", {}).get(setting, {})
            if "images_per_s" in one:
                seen[way] = one, str(max(map(int, callers)))
    return {way: one for way, one in seen.items() if one[0]["images_per_s"] > 0}


def _verdict(way: str, seen: Mapping[str, Any], callers: str, found: Found) -> Bottleneck:
    per_s = seen["images_per_s"]
    limits = sorted(_limits(way, seen, found), key=lambda one: -one.reached)
    what = f"{per_s:,.0f} images/s of {way} by {callers} callers"
    if not limits:
        sentence = f"{what}: nothing is known of any stage alone."
    else:
        first = limits[0]
        near = f"{first.stage} ({first.arithmetic} = {first.images_per_s:,.0f} images/s, {first.reached:.0%} reached)"
        others = ", ".join(f"{one.stage} {one.images_per_s:,.0f}" for one in limits[1:])
        tail = f"; further away: {others}." if others else "."
        if first.reached >= _USED_UP:
            sentence = f"{what}: the bottleneck is {near}{tail}"
        else:
            sentence = f"{what}: no stage is used up, so waiting between them is; the nearest is {near}{tail}"
    return Bottleneck(way, per_s, tuple(limits), sentence)


def _limits(way: str, seen: Mapping[str, Any], found: Found) -> Iterator[Limit]:
    per_s, cores = seen["images_per_s"], found["serving"].get("cores")

    def limit(stage: str, images_per_s: float, arithmetic: str) -> Limit:
        return Limit(stage, images_per_s, arithmetic, per_s / images_per_s)

    if engine := engine_per_s(found):
        yield limit("the engine", engine, f"alone, in batches of up to {ENGINE_BATCH}")
    if use := seen.get("gpu_use"):
        yield limit("the GPU", per_s / use, f"{per_s:,.0f} / {use:.0%} of the time in use")
    spent = {part: ms for part, ms in seen.get("processor_ms", {}).items() if ms > 0}
    if cores and spent:
        parts = " + ".join(f"{part} {ms:.2f}" for part, ms in sorted(spent.items(), key=lambda one: -one[1]))
        yield limit("the processors", 1e3 * cores / sum(spent.values()), f"{cores} processors / ({parts} ms an image)")
    around = found.get("around", {}).get("ways", {}).get(way, {}).get("images_per_s")
    if around:
        yield limit("the way around the engine", around, "measured around an engine that takes no time")
    if cores and spent.get("decode") and (scaling := _scaling(way, found.get("decoding", {}))):
        alone, words = 1e3 * scaling / spent["decode"], f"{spent['decode']:.2f} ms an image"
        yield limit("decoding", alone, f"{scaling:.1f} times one processor's, as by {cores} threads, / {words}")


def _scaling(way: str, decoding: Mapping[str, Any]) -> float | None:
    """Return how many times what one thread decodes all threads do: its pictures are others than those sent."""
    kind, cores = "fast" if "fast" in way else "exact", decoding.get("cores")
    one, all_of_them = (
        decoding.get("ways", {}).get(f"Pillow, {kind}, {threads} threads", {}).get("images_per_s")
        for threads in (1, cores)
    )
    return all_of_them / one if one and all_of_them else None
