"""The course as JSON for programs and as Markdown for readers."""

from __future__ import annotations

import dataclasses
import json
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from alphacut_gpu import bottleneck, floor, moved_decoding, targets
from alphacut_gpu.course import RAN, Outcome

Row = Sequence[str]

_RUNTIMES = ("tensorrt_rtx", "TensorRT-RTX"), ("tensorrt", "TensorRT"), ("onnx_cuda", "ONNX Runtime")

FILES = "gpu.json", "gpu.md", "gpu.log"
"""For programs, for readers, and for those who look for a cause: what each section printed, at its end."""


def write(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write the files, each whole or not at all: the course may be ended meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    content = as_dict(outcomes)
    logs = "".join(f"== {one.section.name}\n{one.log.rstrip()}\n\n" for one in outcomes if one.log.strip())
    try:
        page = markdown(outcomes, content["created"])
    except Exception:  # noqa: BLE001  what was found is worth more than its page, and is found only once
        page = f"{FILES[0]} has everything that was found, of which no page could be made:\n\n{traceback.format_exc()}"
    texts = json.dumps(content, indent=1) + "\n", page, logs
    for name, text in zip(FILES, texts, strict=True):
        draft = folder / f".{name}"
        draft.write_text(text)
        draft.replace(folder / name)


def as_dict(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return everything that was found and how each section ended."""
    found = {outcome.section.name: outcome.found for outcome in outcomes}
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "sections": {
            outcome.section.name: {
                "title": outcome.section.title,
                "status": outcome.status,
                "reason": outcome.reason,
                "began": outcome.began,
                "took_s": round(outcome.took_s, 1),
                "found": outcome.found,
            }
            for outcome in outcomes
        },
        "targets": _concluded(
            lambda: [dataclasses.asdict(one) | {"verdict": one.verdict} for one in targets.judge(found)]
        ),
        "bottlenecks": _concluded(lambda: [dataclasses.asdict(one) for one in bottleneck.find(found)]),
        "decoding_on_gpu": _concluded(lambda: _gain(found)),
    }


def _target(one: targets.Target) -> dict[str, Any]:
    return {**dataclasses.asdict(one), "verdict": one.verdict}


def _gain(found: dict[str, Any]) -> Any:
    gain = moved_decoding.compute(found)
    return gain if isinstance(gain, str) else dataclasses.asdict(gain)


def _concluded(conclude: Callable[[], Any]) -> Any:
    try:
        return conclude()
    except Exception as error:  # noqa: BLE001  as above
        return f"cannot be concluded: {error!r}"


def markdown(outcomes: Sequence[Outcome], created: str) -> str:
    """Return the report as a page."""
    found = {outcome.section.name: outcome.found for outcome in outcomes}
    gpus = found.get("machine", {}).get("gpus", [])
    name = gpus[0]["name"] if gpus else "no GPU: every number of one is missing here"
    cores = found.get("machine", {}).get("processor", {})
    parts = [f"# GPU course of {created}\n", f"{name}; {cores.get('processor', '')}, {cores.get('cores', '?')} cores\n"]
    ended = [(one.section.title, one.status, f"{one.took_s:.0f} s", one.began, one.reason) for one in outcomes]
    parts.append(_table(("section", "ended", "took", "began", "reason"), ended))
    aims = [
        (one.words, f"{one.bound:g} {one.unit}".strip(), _number(one.measured), one.verdict, one.by)
        for one in targets.judge(found)
    ]
    parts.append(_table(("target", "aim", "measured", "", "by"), aims))
    parts += [
        _bottlenecks(found),
        _engines(found),
        _decoding(found.get("decoding", {})),
        _around(found.get("around", {})),
    ]
    parts.append(_serving(found.get("serving", {})))
    failed = [f"- {one.section.title}: {one.reason}" for one in outcomes if one.status != RAN]
    return "\n".join([part for part in parts if part] + (["## Not run\n", *failed, ""] if failed else []))


def _bottlenecks(found: dict[str, Any]) -> str:
    verdicts = bottleneck.find(found)
    if not verdicts:
        return ""
    rows = [
        (one.way, limit.stage, _number(limit.images_per_s), limit.arithmetic, f"{limit.reached:.0%}")
        for one in verdicts
        for limit in one.limits
    ]
    gain = moved_decoding.compute(found)
    lines = [f"- {one.sentence}" for one in verdicts]
    lines.append(f"- Decoding on the GPU: {gain if isinstance(gain, str) else gain.sentence}")
    head = ("what is sent", "stage", "images/s it allows", "because", "reached")
    return "\n".join(["## What limits it\n", *lines, "", _table(head, rows)])


def _engines(found: dict[str, Any]) -> str:
    ceiling = found.get("torch_yardstick", {}).get("ceiling_flop_per_s")
    rows: list[Row] = []
    for name, one in found.get("torch_yardstick", {}).get("networks", {}).items():
        rows += _batches("PyTorch", {"network": name, "precision": "fp16", **one}, ceiling)
    if compiled := found.get("torch_compiled"):
        rows += _batches("PyTorch, compiled", {"network": "u2net", "precision": "fp16", **compiled}, ceiling)
    for section, runtime in _RUNTIMES:
        for one in found.get(section, {}).get("engines", ()):
            label = f"{runtime} for {one['for']}" if "for" in one else runtime
            rows += _batches(label, one, ceiling)
    head = ("engine", "network", "precision", "batch", "ms", "images/s", "of the arithmetic", "mean |Δ|", "mean IoU")
    return f"## Engines alone\n\n{_table(head, rows)}" if rows else ""


def _batches(label: str, one: dict[str, Any], ceiling: float | None) -> Iterable[Row]:
    parity = one.get("parity", {})
    for rows, seen in one.get("batches", {}).items():
        yield (
            *(label, one["network"], one["precision"], rows, _number(seen["time_ms"]), _number(seen["images_per_s"])),
            f"{floor.share(one['network'], seen['images_per_s'], ceiling):.0%}" if ceiling else "",
            *(_number(parity.get(key)) for key in ("mean_difference", "mean_iou")),
        )
    if "refused" in one:
        yield (label, one["network"], one["precision"], "", "", "", one["refused"], "", "")


def _decoding(found: dict[str, Any]) -> str:
    if not found:
        return ""
    rows = [
        (way, _number(seen.get("images_per_s")), seen.get("not_run", "")) for way, seen in found.get("ways", {}).items()
    ]
    return f"## {found['pictures']} to squares\n\n{_table(('way', 'images/s', 'not run'), rows)}"


def _around(found: dict[str, Any]) -> str:
    if not found:
        return ""
    parts = ("decode", "triton", "engine", "senders")
    rows = [
        (way, _number(one["images_per_s"]), *(_number(one["processor_ms"].get(part, 0.0)) for part in parts))
        for way, one in found["ways"].items()
    ]
    head = ("what is sent", "images/s", *(f"{part}, processor ms an image" for part in parts))
    return f"## Around an engine that takes no time, {found['callers']} callers\n\n{_table(head, rows)}"


def _serving(found: dict[str, Any]) -> str:
    if not found:
        return ""
    kinds = [("one caller", found.get("one_caller"))]
    kinds += [(f"{number} callers", one) for number, one in found.get("callers", {}).items()]
    kinds += [(f"{one['offered_per_s']:.1f} a second arrive", one) for one in found.get("arrivals", ())]
    kinds += list(found.get("settings", {}).items())
    rows = [(name, *_asked({"refused": reason})) for name, reason in found.get("refused", {}).items()]
    rows += [(name, *_asked(one)) for name, one in kinds if one]
    title = f"## Through Triton: {found['runtime']}, {found['network']} in {found['precision']}\n"
    return f"{title}\n{_table(('who asks', 'images/s', 'p50 ms', 'p95 ms', 'answered', 'GPU in use'), rows)}"


def _asked(one: dict[str, Any]) -> Row:
    if "refused" in one:
        return ("", "", "", one["refused"], "")
    latencies = (_number(one["latency_ms"].get(percentile)) for percentile in ("p50", "p95"))
    use = one.get("gpu_use")
    return (_number(one["images_per_s"]), *latencies, f"{one['good']:.1%}", "" if use is None else f"{use:.0%}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    # A reason in a library's words may have lines of its own, which would end the table.
    return "".join(f"| {' | '.join(' '.join(word.split()).replace('|', '∣') for word in line)} |\n" for line in lines)
