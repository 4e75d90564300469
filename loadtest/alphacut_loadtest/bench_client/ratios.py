"""The ways compared: ratios within each round, with their targets."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alphacut_loadtest.bench_client.measure import Turn
from alphacut_loadtest.bench_client.ways import CUTOUT_CALLERS, MASK_CALLERS, saturated

Round = dict[str, Turn]
"""A round's turns by way."""


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


def ratios(turns: Sequence[Turn], cores: int) -> list[Ratio]:
    """Compare the ways, each round by itself, so that a machine that slows down does so on both sides.

    Args:
        turns: All rounds of all ways.
        cores: Processors that client and server share.
    """
    rounds = by_round(turns)
    masks = best(rounds, [saturated("masks", callers) for callers in MASK_CALLERS])
    cutouts = best(rounds, [saturated("cut-outs", callers) for callers in CUTOUT_CALLERS])
    wanted = [
        ("client's processor time to server's time, predict", _share("loop of predict"), "under 0.10"),
        ("the same, mask: full size and PNG made here", _share("loop of mask"), ""),
        ("remove_batch to a loop of remove", _faster("remove_batch", "loop of remove"), "at least 1.8"),
        ("…the most that any scheduling could bring here ¹", _bound("remove_batch", "loop of remove", cores), ""),
        ("mask_batch to a loop of mask", _faster("mask_batch", "loop of mask"), ""),
        ("…the most that any scheduling could bring here ¹", _bound("mask_batch", "loop of mask", cores), ""),
        (
            "the same, rendered there: remove_batch to a loop",
            _faster("remove_batch, rendered there", "loop of remove, rendered there"),
            "",
        ),
        (f"mask_batch to: {masks} ²", _faster("mask_batch", masks), "at least 0.95"),
        (f"remove_batch to: {cutouts} ³", _faster("remove_batch", cutouts), "at least 0.95"),
        (f"remove_batch to: {masks} ²", _faster("remove_batch", masks), ""),
        ("asynchronous to threads, mask_batch", _faster("mask_batch, asynchronous", "mask_batch"), "at least 0.95"),
        ("rendered there to here, remove_batch", _faster("remove_batch, rendered there", "remove_batch"), ""),
        ("pixels to files, mask_batch", _faster("mask_batch, pixels", "mask_batch"), ""),
        ("auto to files, mask_batch", _faster("mask_batch, auto", "mask_batch"), ""),
        (
            "shared memory to messages, pixels ready",
            _faster("server saturated, shared memory", "server saturated, pixels"),
            "",
        ),
    ]
    found = []
    for name, of, target in wanted:
        values = [of(turns_of) for turns_of in rounds]
        found.append(Ratio(name, statistics.median(values), min(values), max(values), target))
    return found


def by_round(turns: Sequence[Turn]) -> list[Round]:
    """Return the turns of each round by way."""
    numbers = sorted({turn.round for turn in turns})
    return [{turn.way: turn for turn in turns if turn.round == number} for number in numbers]


def best(rounds: Sequence[Round], ways: Sequence[str]) -> str:
    """Return the way with the highest median throughput."""
    return max(ways, key=lambda way: statistics.median(turns[way].images_per_s for turns in rounds))


def _faster(one: str, other: str) -> Callable[[Round], float]:
    return lambda turns: turns[one].images_per_s / turns[other].images_per_s


def _share(way: str) -> Callable[[Round], float]:
    return lambda turns: turns[way].client_cpu_s / turns[way].server_s


def _bound(batch: str, loop: str, cores: int) -> Callable[[Round], float]:
    """Compare all cores busy with the less processor time that an image took either way to the loop's throughput."""

    def bound(turns: Round) -> float:
        cpu_s_per_image = min(turns[batch].cpu_s_per_image, turns[loop].cpu_s_per_image)
        return cores / cpu_s_per_image / turns[loop].images_per_s

    return bound
