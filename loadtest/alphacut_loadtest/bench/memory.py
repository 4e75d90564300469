"""How much memory a contender takes at most, watched in turns of its own: looking costs time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import reduce

from alphacut_loadtest.bench.usage import CLIENT, NOTHING, Memory, ProcessTree

WATCHED = ("rembg-mask", "rembg-cutout", "mask-encoded", "cutout-client", "cutout-server-png")
"""Contenders whose memory is watched; the others do much the same."""

_EVERY_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """The most memory that one contender took.

    Attributes:
        contender: Its name.
        concurrency: Callers at once.
        samples: How often it was looked.
        server: The most that all processes but the client's took together, at one moment: supervisor, Triton and
            stubs. Nothing where there is no server.
        everything: The same with the client.
        processes: The most that each took, at its own moment.
    """

    contender: str
    concurrency: int
    samples: int
    server: Memory
    everything: Memory
    processes: Mapping[str, Memory]


def watch(tree: ProcessTree, contender: str, concurrency: int, work: Callable[[], object]) -> Footprint:
    """Carry out ``work`` and look at the memory of ``tree`` meanwhile, 20 times a second and once afterwards."""
    samples: list[Mapping[str, Memory]] = []
    with ThreadPoolExecutor(1) as worker:
        done = worker.submit(work)
        while not done.done():
            samples.append(tree.memory())
            wait([done], _EVERY_S)
        done.result()
    samples.append(tree.memory())
    return summarise(contender, concurrency, samples)


def summarise(contender: str, concurrency: int, samples: Sequence[Mapping[str, Memory]]) -> Footprint:
    """Return the highest of each figure over samples of a whole process tree."""
    names = list(dict.fromkeys(name for sample in samples for name in sample))
    return Footprint(
        contender=contender,
        concurrency=concurrency,
        samples=len(samples),
        server=highest(of_server(sample) for sample in samples),
        everything=highest(sum(sample.values(), NOTHING) for sample in samples),
        processes={name: highest(sample.get(name, NOTHING) for sample in samples) for name in names},
    )


def of_server(sample: Mapping[str, Memory]) -> Memory:
    """Return what all processes but the client's take together."""
    return sum((memory for name, memory in sample.items() if name != CLIENT), NOTHING)


def highest(values: Iterable[Memory]) -> Memory:
    """Return the largest of each figure, which need not be of one moment."""
    return reduce(_highest, values, NOTHING)


def _highest(one: Memory, other: Memory) -> Memory:
    return Memory(
        max(one.pss_bytes, other.pss_bytes), max(one.rss_bytes, other.rss_bytes), max(one.own_bytes, other.own_bytes)
    )
