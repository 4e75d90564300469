"""The numbers as ratios with their targets, in JSON and Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict

from alphacut_loadtest.bench.machine import Commit, Machine
from alphacut_loadtest.bench_client.measure import Turn
from alphacut_loadtest.bench_client.ratios import ratios

_NOTES = (
    "¹ All cores busy without a pause, at the processor time that an image takes both ends together, whichever way "
    "takes less; a loop of remove keeps them busy in part already, since one image's inference uses all cores.",
    "² The server alone: requests made beforehand, masks thrown away, by as many callers as were the fastest.",
    "³ The same on the same cores, and each caller decodes and makes the PNG of every cut-out with the client's own "
    "functions, in the same process.",
)


def to_json(turns: Sequence[Turn], machine: Machine, commit: Commit | None) -> str:
    """Return everything that was measured, and where."""
    whole = {
        "machine": asdict(machine),
        "commit": None if commit is None else asdict(commit),
        "ratios": [asdict(ratio) for ratio in ratios(turns, machine.cores)],
        "turns": [asdict(turn) for turn in turns],
    }
    return json.dumps(whole, indent=2) + "\n"


def markdown(turns: Sequence[Turn], machine: Machine, commit: Commit | None) -> str:
    """Return both tables, as a page."""
    rounds = len({turn.round for turn in turns})
    sha = "an unknown commit" if commit is None else commit.sha[:12] + (" with changes" if commit.changed else "")
    lines = [
        "# What the client costs, and what its batches bring",
        "",
        f"{machine.processor}, {machine.cores} cores, load {machine.load_before} before; {sha}; median of {rounds} "
        f"rounds of {max(turn.images for turn in turns)} images (loops: {min(turn.images for turn in turns)}), "
        "lowest and highest behind it. Client and server share the cores.",
        "",
        "| | ratio | | target |",
        "|---|--:|---|---|",
        *(
            f"| {one.name} | {one.median:.2f} | {one.lowest:.2f} to {one.highest:.2f} | {one.target} |"
            for one in ratios(turns, machine.cores)
        ),
        "",
        *(line for note in _NOTES for line in (note, "")),
        "| way | images/s | processor time, ms an image: client | server | cores busy |",
        "|---|--:|--:|--:|--:|",
        *_ways(turns),
    ]
    return "\n".join(lines) + "\n"


def _ways(turns: Sequence[Turn]) -> list[str]:
    lines = []
    for way in dict.fromkeys(turn.way for turn in sorted(turns, key=lambda turn: turn.way)):
        mine = [turn for turn in turns if turn.way == way]
        speed = statistics.median(turn.images_per_s for turn in mine)
        client_ms = 1000 * statistics.median(turn.client_cpu_s / turn.images for turn in mine)
        server_ms = 1000 * statistics.median(turn.server_cpu_s / turn.images for turn in mine)
        busy = statistics.median((turn.client_cpu_s + turn.server_cpu_s) / turn.wall_s for turn in mine)
        lines.append(f"| {way} | {speed:.1f} | {client_ms:.1f} | {server_ms:.1f} | {busy:.1f} |")
    return lines
