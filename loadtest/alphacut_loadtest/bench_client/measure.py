"""Turns of every way, one after another and round by round, with the clocks of both ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alphacut_client import Client
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.bench.usage import ProcessTree
from alphacut_loadtest.bench_client.ways import Way

_WARM_UP_IMAGES = 12
_LOOP_IMAGES = 24


@dataclass(frozen=True, slots=True)
class Turn:
    """One way's share of a round.

    Attributes:
        way: Its name.
        round: Counted from 0.
        images: How many were answered.
        wall_s: From the first call to the last answer.
        client_cpu_s: Processor seconds of this process meanwhile, all threads.
        server_cpu_s: Processor seconds of the server's processes meanwhile, waiting in a busy loop included.
        server_s: The server's own time for these images, from arrival to answer, summed; 0 where the ensemble
            was not called.
    """

    way: str
    round: int
    images: int
    wall_s: float
    client_cpu_s: float
    server_cpu_s: float
    server_s: float

    @property
    def images_per_s(self) -> float:
        """Throughput."""
        return self.images / self.wall_s

    @property
    def cpu_s_per_image(self) -> float:
        """Processor seconds of both ends."""
        return (self.client_cpu_s + self.server_cpu_s) / self.images


class Clocks:
    """Reads what both ends have spent so far.

    Args:
        client: Asks the server for its own time.
        server_pid: The root of the server's processes.
    """

    def __init__(self, client: Client, server_pid: int) -> None:
        self._client = client
        self._server = ProcessTree(server_pid)

    def turn(self, name: str, number: int, way: Way, images: Sequence[bytes]) -> Turn:
        """Let a way answer all images, and return what that took."""
        server_s, server_cpu_s = self._server_s(), self._server.cpu_s()
        cpu_s, started = time.process_time(), time.perf_counter()
        way.answer(images)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
        server_cpu_s = self._server.cpu_s() - server_cpu_s
        return Turn(name, number, len(images), wall_s, cpu_s, server_cpu_s, self._server_s() - server_s)

    def _server_s(self) -> float:
        return self._client.statistics()[DEFAULT_PIPELINE.ensemble].total_s


def run(
    ways: Mapping[str, Way], images: Sequence[bytes], rounds: int, clocks: Clocks, report: Callable[[str], None]
) -> list[Turn]:
    """Let every way answer all images in every round, another one first each time; a short round before warms up."""
    for name, way in ways.items():
        clocks.turn(name, -1, way, images[:_WARM_UP_IMAGES])
    names = list(ways)
    turns: list[Turn] = []
    for number in range(rounds):
        first = number * len(names) // rounds
        for name in names[first:] + names[:first]:
            way = ways[name]
            turn = clocks.turn(name, number, way, images[:_LOOP_IMAGES] if way.alone else images)
            report(f"round {number + 1} of {rounds}: {name}, {turn.images_per_s:.1f} images/s")
            turns.append(turn)
    return turns
