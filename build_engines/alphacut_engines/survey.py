"""Every variant of a network side by side: size, speed on this CPU, and how far its masks are from FP32's."""

from __future__ import annotations

import dataclasses
import html
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alphacut_core.geometry import Pixels
from alphacut_engines import gate, page
from alphacut_engines.agreement import Agreement
from alphacut_engines.gate import Engine
from alphacut_engines.photographs import Photographs
from alphacut_engines.variant import Variant

COLUMNS = ("variant", "runtime", "size", "one picture", "spread", "speed", "PSNR", "mean |Δ| of 255", "mean IoU")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One variant.

    Attributes:
        name: What it is.
        runtime: What ran it.
        size_bytes: Its graph on the disk.
        time_ms: Median time of one picture alone.
        quartiles_ms: First and third quartile of that time.
        speed: How many times faster than the first row.
        passed: Whether the gate lets its precision be installed with such masks.
        installed: Whether the model repository serves this precision by this runtime.
        agreement: Its masks against ONNX Runtime's in FP32.
    """

    name: str
    runtime: str
    size_bytes: int
    time_ms: float
    quartiles_ms: tuple[float, float]
    speed: float
    passed: bool
    installed: bool
    agreement: Agreement

    def cells(self) -> tuple[str, ...]:
        """Return the figures as text, one a column."""
        low, high = self.quartiles_ms
        mark = " (installed)" if self.installed else "" if self.passed else " (refused)"
        return (
            self.name + mark,
            self.runtime,
            f"{self.size_bytes / 1e6:.1f} MB",
            f"{self.time_ms:.0f} ms",
            f"{low:.0f}-{high:.0f} ms",
            f"{self.speed:.2f}x",
            f"{self.agreement.psnr_db:.1f} dB",
            f"{self.agreement.mean_difference:.2f}",
            f"{self.agreement.mean_iou:.4f}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """All variants of one network.

    Attributes:
        model: Name in the registry.
        source_sha256: Checksum of the network's file.
        size: Side of its square in pixels.
        photographs: ``folder`` or ``samples``.
        pictures: How many masks were compared.
        rounds: How often each variant was timed, in turn with the others.
        machine: Processor that it ran on.
        threads: How many of its cores there were.
        rows: One a variant; the first is what the others' speed is measured by.
    """

    model: str
    source_sha256: str
    size: int
    photographs: str
    pictures: int
    rounds: int
    machine: str
    threads: int
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    def heading(self) -> str:
        """Return what was measured, in a sentence."""
        pictures = "photographs" if self.photographs == "folder" else "variants of the sample pictures"
        return (
            f"{self.model} at {self.size} pixels: masks on {self.pictures} {pictures} against ONNX Runtime in FP32; "
            f"one picture at a time on {self.machine}, {self.threads} threads, median of {self.rounds} rounds in turn."
        )

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells() for row in self.rows)]
        # A bar would end the cell.
        table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        return f"{self.heading()}\n\n{table}\n"

    def to_html(self) -> str:
        """Return the table as a page of its own."""
        head = "".join(f"<th>{html.escape(column)}</th>" for column in COLUMNS)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row.cells())}</tr>" for row in self.rows
        )
        table = f"<table><tr>{head}</tr>{body}</table>"
        return page.document(
            f"{html.escape(self.model)} in every precision", f"<p>{html.escape(self.heading())}</p>{table}"
        )


def rows(
    variants: Sequence[Variant],
    photographs: Photographs,
    wanted: Sequence[Pixels],
    *,
    rounds: int,
    serving: tuple[str, str] | None,
    tell: Callable[[str], None],
) -> Iterator[Row]:
    """Measure all variants.

    Args:
        variants: The first is what the others' speed is measured by.
        photographs: What to compare masks on.
        wanted: The reference's masks of them.
        rounds: How often to time each.
        serving: Precision that is installed and how its runtime's name begins, if one is.
        tell: Takes a line about each variant as it is done.
    """
    engines = [variant.load() for variant in variants]
    agreements = []
    for variant, engine in zip(variants, engines, strict=True):
        judged = variant.judged() if variant.judged else engine
        agreements.append(gate.measure(judged, photographs, wanted).agreement)
        tell(f"{variant.name} in {variant.runtime}: mean |Δ| {agreements[-1].mean_difference:.2f} of 255")
    (_, square) = next(iter(photographs))
    times_ms = _in_turn(engines, square, rounds)
    for variant, agreement, times in zip(variants, agreements, times_ms, strict=True):
        low, median, high = (round(float(part), 3) for part in np.percentile(times, [25, 50, 75]))
        yield Row(
            name=variant.name,
            runtime=variant.runtime,
            size_bytes=variant.size_bytes,
            time_ms=median,
            quartiles_ms=(low, high),
            speed=round(float(np.median(times_ms[0]) / np.median(times)), 2),
            passed=gate.passes(variant.precision, agreement),
            installed=serving is not None
            and variant.precision == serving[0]
            and variant.runtime.startswith(serving[1]),
            agreement=agreement,
        )


def _in_turn(engines: Sequence[Engine], square: Pixels, rounds: int) -> list[list[float]]:
    """Time every engine once a round, so that whatever slows the machine down slows all of them down.

    The run before the one that counts lets the threads of the engine before go to sleep.
    """
    times_ms: list[list[float]] = [[] for _ in engines]
    for _ in range(rounds):
        for engine, times in zip(engines, times_ms, strict=True):
            engine.masks(square[None])
            start = time.perf_counter()
            engine.masks(square[None])
            times.append((time.perf_counter() - start) * 1000)
    return times_ms
