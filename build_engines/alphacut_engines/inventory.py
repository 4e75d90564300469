"""What is installed, as rows for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from alphacut_core import installed
from alphacut_core.installed import Installed
from alphacut_engines.manifest import ARTEFACT_SUFFIXES


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One installed engine; None stands for what was not measured.

    Attributes:
        model: What callers call the network.
        tier: Name of its size.
        target: What the engine is for.
        precision: What it computes in.
        size: Side of its square, in pixels.
        version: The version that serves.
        previous: Versions that are kept besides.
        mean_difference: Mean |Δ| of 255 against the full tier in FP32.
        mean_iou: Mean IoU at 128 against the same.
        pictures: How many pictures that was measured on.
        time_ms: One picture alone, on the machine that built it.
        engine_bytes: Size of the engine's file, or None where it is gone.
        licence: Of the weights.
        network: Name in the registry.
        folder: Where it lies.
    """

    model: str
    tier: str
    target: str
    precision: str
    size: int
    version: int
    previous: list[int]
    mean_difference: float | None
    mean_iou: float | None
    pictures: int | None
    time_ms: float | None
    engine_bytes: int | None
    licence: str
    network: str
    folder: str

    @classmethod
    def of(cls, engine: Installed) -> Row:
        """Return the row of an engine."""
        facts, accuracy = engine.manifest, engine.manifest["accuracy"] or {}
        names = [name for name in facts["artefacts"] if name.endswith(ARTEFACT_SUFFIXES)]
        folders = [path.parent.name for path in engine.folder.parent.glob(f"*/{installed.MANIFEST_FILE}")]
        # What a build has not finished, and a copy that somebody keeps beside them, are no versions.
        versions = sorted(int(name) for name in folders if name.isdecimal())
        return cls(
            model=facts["slot"],
            tier=facts["tier"],
            target=facts["target"],
            precision=facts["precision"],
            size=facts["size"],
            version=engine.version,
            previous=[version for version in versions if version != engine.version],
            mean_difference=accuracy.get("mean_difference"),
            mean_iou=accuracy.get("mean_iou"),
            pictures=accuracy.get("pictures"),
            time_ms=facts["time_ms"],
            engine_bytes=_size_bytes([engine.folder / name for name in names]),
            licence=facts["recipe"]["licence"],
            network=facts["model"],
            folder=str(engine.folder),
        )


def rows(repository: Path) -> Iterator[Row]:
    """Yield a row of every engine that is installed."""
    for target in installed.TARGETS:
        for engine in installed.find_all(repository, target):
            yield Row.of(engine)


def to_json(found: Iterable[Row]) -> str:
    """Return rows as a JSON list."""
    return json.dumps([dataclasses.asdict(row) for row in found], indent=2)


def show(found: Iterable[Row]) -> None:
    """Print rows: a table on a terminal, else one line each."""
    console = Console()
    if not console.is_terminal:
        for row in found:
            click.echo(_line(row))
        return
    table = Table("model", "tier", "target", "precision")
    for title in ("pixels", "version", "mean |Δ|", "mean IoU", "ms", "MB"):
        table.add_column(title, justify="right")
    table.add_column("licence")
    for row in found:
        table.add_row(row.model, row.tier, row.target, row.precision, *_figures(row), row.licence)
    console.print(table)


def _figures(row: Row) -> tuple[str, ...]:
    return (
        str(row.size),
        str(row.version),
        _or_dash(row.mean_difference, ".2f"),
        _or_dash(row.mean_iou, ".4f"),
        _or_dash(row.time_ms, ".1f"),
        "missing" if row.engine_bytes is None else f"{row.engine_bytes / 1e6:.1f}",
    )


def _line(row: Row) -> str:
    size, version, difference, iou, time_ms, megabytes = _figures(row)
    file = f"{megabytes} MB" if row.engine_bytes is not None else f"its file is {megabytes}: run alphacut build again"
    return (
        f"{row.model} {row.tier} for {row.target}: {row.precision}, {size} pixels, version {version}, mean |Δ| "
        f"{difference} of 255, mean IoU {iou}, {time_ms} ms, {file}, {row.licence}"
    )


def _size_bytes(files: list[Path]) -> int | None:
    try:
        return sum(file.stat().st_size for file in files)
    except FileNotFoundError:
        return None


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
