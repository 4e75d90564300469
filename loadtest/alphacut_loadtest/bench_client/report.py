"""The numbers as ratios with their targets, in JSON and Markdown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from alphacut_loadtest.bench.machine import Commit, Machine
from alphacut_loadtest.bench_client.measure import Turn


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison: the median over rounds of what was measured within each round.

    Attributes:
        name: What is compared.
        median: Of the rounds.
        lowest: Of the rounds.
        highest: Of the rounds.
        target: What it should be, in words; empty where nothing was asked.
    """

    name: str
    median: float
    lowest: float
    highest: float
    target: str


def ratios(turns: Sequence[Turn]) -> list[Ratio]:
    """Compare the ways, each round by itself, so that a machine that slows down does so on both sides."""

    def faster(one: str, other: str) -> Callable[[dict[str, Turn]], float]:
        return lambda by_way: by_way[one].images_per_s / by_way[other].images_per_s

    def share(way: str) -> Callable[[dict[str, Turn]], float]:
        return lambda by_way: by_way[way].client_cpu_s / by_way[way].server_s

    wanted = [
        ("client's processor time to server's time, predict", share("loop of predict"), "under 0.10"),
        ("the same, mask: full size and PNG made here", share("loop of mask"), ""),
        ("remove_batch to a loop of remove", faster("remove_batch", "loop of remove"), "at least 1.8"),
        ("mask_batch to a loop of mask", faster("mask_batch", "loop of mask"), ""),
        ("mask_batch to the saturated server", faster("mask_batch", "server saturated, files"), "at least 0.95"),
        ("remove_batch to the saturated server", faster("remove_batch", "server saturated, files"), "at least 0.95"),
        ("asynchronous to threads, mask_batch", faster("mask_batch, asynchronous", "mask_batch"), "at least 0.95"),
        ("pixels to files, mask_batch", faster("mask_batch, pixels", "mask_batch"), ""),
        ("auto to files, mask_batch", faster("mask_batch, auto", "mask_batch"), ""),
        (
            "shared memory to messages, pixels ready",
            faster("server saturated, shared memory", "server saturated, pixels"),
            "",
        ),
    ]
    rounds = sorted({turn.round for turn in turns})
    by_round = [{turn.way: turn for turn in turns if turn.round == number} for number in rounds]
    found = []
    for name, of, target in wanted:
        values = [of(by_way) for by_way in by_round]
        found.append(Ratio(name, statistics.median(values), min(values), max(values), target))
    return found


def to_json(turns: Sequence[Turn], machine: Machine, commit: Commit | None) -> str:
    """Return everything that was measured, and where."""
    whole = {
        "machine": asdict(machine),
        "commit": None if commit is None else asdict(commit),
        "ratios": [asdict(ratio) for ratio in ratios(turns)],
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
        f"rounds of {turns[0].images} images, lowest and highest behind it.",
        "",
        "| | ratio | | target |",
        "|---|--:|---|---|",
        *(
            f"| {one.name} | {one.median:.2f} | {one.lowest:.2f} to {one.highest:.2f} | {one.target} |"
            for one in ratios(turns)
        ),
        "",
        "| way | images/s | client's processor time, ms an image |",
        "|---|--:|--:|",
    ]
    for way in dict.fromkeys(turn.way for turn in sorted(turns, key=lambda turn: turn.way)):
        mine = [turn for turn in turns if turn.way == way]
        speed = statistics.median(turn.images_per_s for turn in mine)
        cpu_ms = 1000 * statistics.median(turn.client_cpu_s / turn.images for turn in mine)
        lines.append(f"| {way} | {speed:.1f} | {cpu_ms:.1f} |")
    return "\n".join(lines) + "\n"
