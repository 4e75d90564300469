"""What size buys: networks of several sizes side by side, as a table and a plot."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from alphacut_training import checkpoint, evaluation, export, naming, predictor, prune
from alphacut_training.pairs import Finding

_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Point:
    """One network at one size.

    Attributes:
        name: See ``naming``.
        size: Side of the square in pixels.
        parameters: Numbers that training set.
        gigaflops: Of one picture, a multiply-add counted as two.
        file_megabytes: Of the ONNX file.
        time_ms: One picture through ONNX Runtime on this processor, median.
        max_f_beta: On the pictures given.
        mae: On the pictures given.
    """

    name: str
    size: int
    parameters: int
    gigaflops: float
    file_megabytes: float
    time_ms: float
    max_f_beta: float
    mae: float


def measure(
    files: Sequence[Path], sizes: Sequence[int], data: Path, scratch: Path
) -> tuple[list[Point], tuple[Finding, ...]]:
    """Measure every network at every size; times are taken in turns, so that all meet the same machine.

    Args:
        files: Networks; see ``checkpoint.load``.
        sizes: Sides in pixels.
        data: Pictures with masks to judge by.
        scratch: Folder for the ONNX files that are timed.

    Returns:
        A point for each network at each size, and the pictures that none was judged by.

    Raises:
        EngineSourceError: A network or the pictures cannot be read.
    """
    sessions, facts = {}, {}
    left_out: tuple[Finding, ...] = ()
    for name, file in zip(naming.names(files), files, strict=True):
        network = checkpoint.load(file)
        for size in sizes:
            onnx_file = scratch / f"{name}-{size}.onnx"
            export.export(network, onnx_file, size)
            judged = evaluation.evaluate(predictor.of_network(network, size), data)
            found, left_out = judged.overall, judged.left_out
            gigaflops = 2 * prune.multiply_adds(network, size) / 1e9
            facts[name, size] = (prune.parameters(network), gigaflops, onnx_file.stat().st_size / 1e6, found)
            sessions[name, size] = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    times = _times(sessions)
    points = [
        Point(name, size, parameters, gigaflops, megabytes, times[name, size], found.max_f, found.mae)
        for (name, size), (parameters, gigaflops, megabytes, found) in facts.items()
    ]
    return points, left_out


def _times(sessions: dict[tuple[str, int], onnxruntime.InferenceSession]) -> dict[tuple[str, int], float]:
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in sessions}
    for round_number in range(_ROUNDS + 1):
        for (name, size), session in sessions.items():
            image = np.zeros((1, 3, size, size), np.float32)
            start = time.perf_counter()
            session.run(["d0"], {"input": image})
            if round_number:  # the first warms up
                taken[name, size].append(1000 * (time.perf_counter() - start))
    return {key: statistics.median(values) for key, values in taken.items()}


def table(points: Sequence[Point]) -> str:
    """Return a Markdown table, the fastest first."""
    lines = [
        "| network | size | parameters | GFLOP | MB | ms | max F-beta | MAE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.size} | {one.parameters:,} | {one.gigaflops:.1f} | {one.file_megabytes:.1f} | "
        f"{one.time_ms:.0f} | {one.max_f_beta:.3f} | {one.mae:.3f} |"
        for one in sorted(points, key=lambda one: one.time_ms)
    ]
    return "\n".join(lines)


def to_json(points: Sequence[Point]) -> str:
    """Return all numbers."""
    return json.dumps([asdict(point) for point in points], indent=1)


def plot(points: Sequence[Point]) -> str:
    """Draw accuracy over time as SVG; each dot is a network at a size."""
    width, height, margin = 560, 340, 50
    slowest = max(point.time_ms for point in points)
    low, high = min(point.max_f_beta for point in points), max(point.max_f_beta for point in points)
    text = 'font-family="sans-serif" font-size="12" fill="#444"'
    dots = []
    for point in points:
        x = margin + point.time_ms / slowest * (width - 3 * margin)
        y = height - margin - (point.max_f_beta - low) / max(high - low, 1e-9) * (height - 2 * margin)
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#2e86de"/>')
        dots.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" {text}>{point.name} {point.size}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<path d="M{margin},{margin / 2} V{height - margin} H{width - margin}" stroke="#444" fill="none"/>',
            *dots,
            f'<text x="{margin}" y="{height - 20}" {text}>ms a picture, 0 to {slowest:.0f}</text>',
            f'<text x="4" y="16" {text}>max F-beta, {low:.3f} to {high:.3f}</text>',
            "</svg>",
        ]
    )
