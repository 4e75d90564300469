"""What four times as many pixels cost one caller, on pictures of the same subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from statistics import median

from alphacut_loadtest.bench.pictures import Picture
from alphacut_loadtest.bench.summary import Measurement, Spread

_NAME = re.compile(r"(?P<subject>.+)-\d+x\d+(?P<format>\.\w+)")
_TIMES = 4


def pairs(pictures: Sequence[Picture]) -> list[tuple[int, int]]:
    """Return positions of pictures of one subject and format, the second with four times the pixels of the first.

    Subject and size are read from names like ``dahlia-960x640.jpg``, which the bench gives to those it makes.
    """
    named = [(number, found) for number, picture in enumerate(pictures) if (found := _NAME.fullmatch(picture.name))]
    return [
        (small, large)
        for small, smaller in named
        for large, larger in named
        if smaller.groupdict() == larger.groupdict() and _pixels(pictures[large]) == _TIMES * _pixels(pictures[small])
    ]


def cost(measurements: Iterable[Measurement], pictures: Sequence[Picture], contender: str) -> Spread | None:
    """Return how many times longer the larger pictures of all pairs take one caller, over the rounds.

    None where there is no pair, or no measurement of the contender with one caller.
    """
    found = pairs(pictures)
    alone = [one for one in measurements if one.contender == contender and one.concurrency == 1]
    if not found or not alone:
        return None
    smaller, larger = zip(*found, strict=True)
    return Spread.of(_time_s(one, larger) / _time_s(one, smaller) for one in alone)


def _time_s(measurement: Measurement, pictures: Iterable[int]) -> float:
    """Return the sum of the pictures' median latencies."""
    return sum(
        median(seconds for picture, seconds in measurement.latencies_s if picture == wanted) for wanted in pictures
    )


def _pixels(picture: Picture) -> int:
    return picture.width * picture.height
