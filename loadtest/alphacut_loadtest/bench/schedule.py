"""In which order contenders take turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alphacut_loadtest.bench.contenders import Contender


@dataclass(frozen=True, slots=True)
class Turn:
    """One contender's share of a round."""

    round: int
    contender: Contender
    concurrency: int


def turns(contenders: Sequence[Contender], concurrencies: Sequence[int], rounds: int) -> Iterator[Turn]:
    """Yield everybody's turns, round by round.

    Those who are compared follow each other directly, so that a machine which slows down or speeds up does so for
    all of them. Who comes first changes with every sequence, so that nobody always has the machine at its coolest.
    """
    for number in range(rounds):
        for position, concurrency in enumerate(concurrencies):
            first = (number * len(concurrencies) + position) % len(contenders)
            for contender in (*contenders[first:], *contenders[:first]):
                yield Turn(number, contender, concurrency)


def passes(pictures: int, concurrency: int, images_per_caller: int) -> int:
    """Return how often a turn goes through all pictures: whole passes, enough to keep all callers busy."""
    return -(-max(pictures, images_per_caller * concurrency) // pictures)
