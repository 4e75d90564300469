"""Turns of every way, one after another and round by round, with the clocks of both ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alphacut_client import Client
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.bench_client.ways import Way


@dataclass(frozen=True, slots=True)
class Turn:
    """One way's share of a round.

    Attributes:
        way: Its name.
        round: Counted from 0.
        images: How many were answered.
        wall_s: From the first call to the last answer.
        client_cpu_s: Processor seconds of this process meanwhile, all threads.
        server_s: The server's own time for these images, from arrival to answer, summed; 0 where the ensemble
            was not called.
    """

    way: str
    round: int
    images: int
    wall_s: float
    client_cpu_s: float
    server_s: float

    @property
    def images_per_s(self) -> float:
        """Throughput."""
        return self.images / self.wall_s


def run(
    ways: Mapping[str, Way], images: Sequence[bytes], rounds: int, client: Client, report: Callable[[str], None]
) -> list[Turn]:
    """Let every way answer all images in every round, another one first each time; a first round only warms up."""
    names = list(ways)
    turns: list[Turn] = []
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            turn = _turn(name, number, ways[name], images, client)
            if number >= 0:
                report(f"round {number + 1} of {rounds}: {name}, {turn.images_per_s:.1f} images/s")
                turns.append(turn)
    return turns


def _turn(name: str, number: int, way: Way, images: Sequence[bytes], client: Client) -> Turn:
    before = client.statistics()[DEFAULT_PIPELINE.ensemble]
    cpu_s, started = time.process_time(), time.perf_counter()
    way(images)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    server = client.statistics()[DEFAULT_PIPELINE.ensemble] - before
    return Turn(name, number, len(images), wall_s, cpu_s, server.total_s)
